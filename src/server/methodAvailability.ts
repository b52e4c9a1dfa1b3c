import { PlinthError } from '../core/errors.js';
import type { Method } from '../methods/method.js';
import { type MethodPlace, unavailable, weightsFolder } from '../pipeline/availability.js';

/** An answer is this old at most. */
const FRESH_MS = 5_000;

/**
 * Which methods cannot run on this installation, and why: told with the list of methods, and before a job is taken.
 * Where this process runs no jobs, those who do may have what it lacks, so nothing is refused.
 */
export class MethodAvailability {
  private readonly known = new Map<string, { at: number; answer: Promise<PlinthError | undefined> }>();
  private readonly adapters: () => readonly Record<string, unknown>[];
  private readonly runsJobs: boolean;

  /** @param adapters facts of the devices of this process's workers, as far as they are known */
  constructor(runsJobs: boolean, adapters: () => readonly Record<string, unknown>[]) {
    this.runsJobs = runsJobs;
    this.adapters = adapters;
  }

  /** Why it cannot run, without paths of this machine; `undefined` where it can. */
  async of(method: Method): Promise<PlinthError | undefined> {
    if (!this.runsJobs || !method.weights) return undefined;
    const known = this.known.get(method.name);
    if (known && Date.now() - known.at < FRESH_MS) return await known.answer;
    const answer = this.ask(method);
    this.known.set(method.name, { at: Date.now(), answer });
    return await answer;
  }

  private async ask(method: Method): Promise<PlinthError | undefined> {
    const adapters = this.adapters().filter(isAdapter);
    let refusal = await unavailable(method);
    for (const adapter of refusal ? [] : adapters) {
      refusal = await unavailable(method, { adapter });
      if (!refusal) break;
    }
    return refusal && withoutFolder(refusal);
  }
}

const isAdapter = (
  facts: Record<string, unknown>,
): facts is Record<string, unknown> & NonNullable<MethodPlace['adapter']> =>
  typeof facts.kind === 'string' && typeof facts.device === 'string';

/** Clients are told nothing of folders. */
function withoutFolder(error: PlinthError): PlinthError {
  const { code, found, expected, remedy, subject, cause } = error;
  const clean = found.replaceAll(weightsFolder(), 'its folder of weights');
  return new PlinthError(code, { found: clean, expected, remedy, subject, cause });
}

/** The refusal of a job, about the field that names the method. */
export const refusedMethod = ({ code, found, expected, remedy, cause }: PlinthError, field: string): PlinthError =>
  new PlinthError(code, { found, expected, remedy, subject: field, cause });
