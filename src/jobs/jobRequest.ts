import type { JobRequest, RunRequest } from '../api/jobRequest.js';
import { PlinthError } from '../core/errors.js';
import { getMethod, resolveOptions } from '../methods/registry.js';

/** A run with its name within the job: the method's, numbered where a method occurs twice. */
export interface NamedRun extends RunRequest {
  name: string;
}

/** Photos without cameras that the methods of a job need at least; `undefined` where cameras are found first. */
export const fewestPhotos = (runs: readonly NamedRun[]): number | undefined => (withoutCameras(runs) ? 1 : undefined);

/** Whether no method of a job needs cameras. */
export const withoutCameras = (runs: readonly NamedRun[]): boolean =>
  runs.every(({ method }) => getMethod(method).withoutCameras === true);

/**
 * Checks methods and options against the methods' own schemas and names the runs.
 * @throws `METHOD_UNKNOWN`, `OPTION_INVALID`, with the field as `subject`
 */
export function nameRuns(request: JobRequest): NamedRun[] {
  const counts = new Map<string, number>();
  return request.methods.map((run, index) => {
    try {
      resolveOptions(getMethod(run.method), run.preset, run.options);
    } catch (error) {
      if (!(error instanceof PlinthError)) throw error;
      const { found, expected, remedy, subject } = error;
      const field = error.code === 'METHOD_UNKNOWN' ? `methods.${index}.method` : `methods.${index}.options.${subject}`;
      throw new PlinthError(error.code, { found, expected, remedy, subject: field });
    }
    const count = (counts.get(run.method) ?? 0) + 1;
    counts.set(run.method, count);
    return { ...run, name: count === 1 ? run.method : `${run.method}-${count}` };
  });
}
