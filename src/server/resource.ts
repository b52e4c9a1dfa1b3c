import type { Job } from '../api/job.js';
import { toFailureResource, toWarningResource } from '../api/remedy.js';
import type { JobSummary } from '../jobs/jobRecord.js';

/** A job as the API shows it. */
export function toResource(job: JobSummary): Job {
  const self = `/v1/jobs/${job.id}`;
  const { result } = job;
  return {
    id: job.id,
    name: job.name,
    state: job.state,
    key: job.key,
    createdAt: job.createdAt.toISOString(),
    queuedAt: job.queuedAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    attempt: job.attempt,
    cancelRequested: job.cancelRequested,
    reduced: job.reduced,
    methods: job.request.runs.map(({ name, method, preset, options }) => ({ name, method, preset, options })),
    input: job.input,
    progress: job.progress,
    failure: job.failure && toFailureResource(job.failure),
    result: result && {
      runs: result.runs.map((run) => ({
        ...run,
        warnings: run.warnings.map(toWarningResource),
        failure: run.failure && toFailureResource(run.failure),
      })),
      best: result.best,
      comparison: result.comparison,
      bytes: job.resultBytes,
      files: job.resultFiles,
      thumbnail: job.thumbnail ?? undefined,
    },
    lastEvent: job.lastEvent,
    links: {
      self,
      events: `${self}/events`,
      log: `${self}/log`,
      files: `${self}/files`,
      previews: `${self}/previews`,
      download: `${self}/download`,
      cancel: `${self}/cancel`,
      retry: `${self}/retry`,
    },
  };
}
