import type { JobState } from '../api/job.js';
import type { JobRequest } from '../api/jobRequest.js';
import type { JobProgress, Warning } from '../core/context.js';
import type { Failure } from '../core/errors.js';
import type { NamedRun } from './jobRequest.js';
import type { ManifestFile } from './storage/manifest.js';

export { JOB_STATES, type JobState } from '../api/job.js';
export type { Failure } from '../core/errors.js';

/** What the user gave. Kept in the artifact store below `jobs/<id>/input/`. */
export interface JobInput {
  kind: 'files' | 'zip' | 'example';
  /** Name of the upload, for people. */
  name: string;
  files: number;
  bytes: number;
}

/** What one run made. */
export interface RunResult {
  name: string;
  method: string;
  preset: string;
  seconds: number;
  /** Present when it succeeded: the summary of `quality.json`. */
  quality?: { status: 'normal' | 'warning' | 'failure'; psnr: number; ssim: number };
  warnings: Warning[];
  failure?: Failure;
  /** Seconds of each stage. */
  stages: { stage: string; seconds: number }[];
}

export interface JobResult {
  runs: RunResult[];
  /** Name of the best run; absent when there is one only. */
  best?: string;
  /** One sentence about how the runs compare; absent when there is one only. */
  comparison?: string;
  /** Every file, paths as in `GET …/files/{name}`. Results of version 0.1 lack SHA-256. */
  files: ResultFile[];
}

export type ResultFile = Omit<ManifestFile, 'sha256'> & { sha256?: string };

/** A job without the names of its result's files, of which there may be many: what lists show. */
export interface JobSummary {
  id: string;
  name: string;
  state: JobState;
  request: JobRequest & { runs: NamedRun[] };
  input: JobInput;
  /** Who may see it: the key that made it, or the project of that key. Null: made while API keys were off. */
  owner: string | null;
  /** API key that made it. */
  key: string | null;
  createdAt: Date;
  queuedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  ticket: string | null;
  claim: string | null;
  worker: string | null;
  /** Times a worker began it. */
  attempt: number;
  /** Failures of the machine so far, without interruptions. */
  machineFailures: number;
  /** Times the service that ran it ended under it. */
  interruptions: number;
  /** Runs at a smaller working size, after the GPU ran out of memory. */
  reduced: boolean;
  cancelRequested: boolean;
  progress: JobProgress | null;
  failure: Failure | null;
  result: Omit<JobResult, 'files'> | null;
  /** Which claim's result is the job's. */
  resultClaim: string | null;
  resultBytes: number;
  resultFiles: number;
  /** Name of a small picture of the result. */
  thumbnail: string | null;
  /** Number of the last event. */
  lastEvent: number;
}

export interface JobRecord extends JobSummary {
  result: JobResult | null;
}

/** A small picture of the (best) result, of the names of its files. */
export function thumbnailOf({ files, best }: Pick<JobResult, 'files' | 'best'>): string | undefined {
  const pictures = files
    .map((file) => file.name)
    .filter((n) => /(^|\/)previews\/[^/]+\.(png|webp|jpe?g)$/.test(n) && (!best || n.startsWith(`${best}/`)));
  return pictures.find((n) => /\/textured-000/.test(n)) ?? pictures[0];
}

export const EVENT_TYPES = ['state', 'progress', 'preview', 'warning'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** One entry of a job's history; `seq` counts from 1 without gaps. */
export interface JobEvent {
  seq: number;
  type: EventType;
  data: Record<string, unknown>;
  at: Date;
}

export const isFinished = (state: JobState): boolean => state !== 'queued' && state !== 'running';
