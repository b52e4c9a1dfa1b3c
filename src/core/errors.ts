import { LIBRARY_WORDS, type Remedy, type RemedyWords, wordRemedy } from './remedy.js';

/**
 * The one list of coded errors. A code is stable: programs match on it, `docs/errors.md` and the OpenAPI document list
 * it.
 *
 * `kind` decides what others do with the error:
 * - `input`: the user's files or options are at fault; never retried; exit code 2; HTTP 4xx.
 * - `config`: settings of the installation are at fault; exit code 3.
 * - `machine`: GPU, driver, disk or memory failed; retried by the job service; exit code 4; HTTP 503.
 * - `cancelled`: somebody asked for it; exit code 130.
 * - `internal`: a defect of Plinth; exit code 70; HTTP 500.
 */
export const ERROR_KINDS = {
  input: { exitCode: 2, retryable: false },
  config: { exitCode: 3, retryable: false },
  machine: { exitCode: 4, retryable: true },
  cancelled: { exitCode: 130, retryable: false },
  internal: { exitCode: 70, retryable: false },
} as const;

/** One of the kinds. */
export type ErrorKind = keyof typeof ERROR_KINDS;

/** Every code with its kind and a one-line meaning. Rooms add theirs in their own section. */
export const ERROR_CODES = {
  // core
  CANCELLED: ['cancelled', 'The work was cancelled.'],
  INTERNAL: ['internal', 'A defect of Plinth: please report it with the log.'],
  OPTION_INVALID: ['input', 'An option has a value outside its range.'],
  OUTPUT_EXISTS: ['input', 'The output folder holds something that is not a Plinth result.'],
  OUTPUT_NOT_WRITABLE: ['machine', 'The output folder cannot be written.'],

  // capture
  CAPTURE_NOT_FOUND: ['input', 'There is no capture at the given path.'],
  CAPTURE_UNRECOGNISED: ['input', 'The folder or archive holds nothing that any reader understands.'],
  CAPTURE_NO_CAMERAS: ['input', 'There are pictures but no camera information.'],
  CAPTURE_FILE_MISSING: ['input', 'A file that the capture names is missing.'],
  CAPTURE_VIEWS_MISSING: ['input', 'Too few views, or a named view is missing.'],
  CAPTURE_VIEW_UNEXPECTED: [
    'input',
    'A picture beside the named views is none of them, or a second one of the same name.',
  ],
  CAPTURE_CAMERA_INVALID: ['input', 'A camera has impossible numbers.'],
  CAPTURE_OBJECT_OUT_OF_VIEW: ['input', 'The cameras do not see a common object.'],
  CAPTURE_METADATA_INVALID: ['input', 'A metadata file is not of the form that its format demands.'],
  CAPTURE_NOT_CLEAN: ['input', 'The capture gives warnings, and none are allowed (strict).'],
  CAPTURE_MASK_EMPTY: ['input', 'A mask marks no object, or everything.'],
  CAPTURE_VIEWS_DISAGREE: ['input', 'The views do not fit together as pictures of one object.'],
  PHOTOS_NO_MASKS: ['input', 'The cameras of photos were found, but nothing tells the object from its surroundings.'],
  PHOTO_DECODER_MISSING: ['config', 'A photo is in a format whose optional decoder is not installed.'],
  VIDEO_DECODER_MISSING: ['config', 'A video is given, and there is no ffmpeg to take pictures from it.'],
  VIDEO_UNREADABLE: ['input', 'A video is damaged or of an unknown format.'],
  PHOTOS_NOT_CONNECTED: ['input', 'The photos do not show enough in common to find their cameras.'],
  IMAGE_UNREADABLE: ['input', 'An image is damaged, truncated or of an unknown format.'],
  IMAGE_TOO_LARGE: ['input', 'An image has more pixels than the limit.'],
  IMAGE_SIZE_MISMATCH: ['input', 'Images that belong together differ in size.'],
  DEPTH_INVALID: ['input', 'A depth map is unusable.'],
  ARCHIVE_INVALID: ['input', 'The archive is damaged or of an unsupported kind.'],
  ARCHIVE_TOO_LARGE: ['input', 'The archive unpacks to more than the limit.'],
  ARCHIVE_UNSAFE_PATH: ['input', 'The archive or folder holds a path that leaves it, or a link.'],

  // gpu
  GPU_NO_ADAPTER: ['machine', 'No WebGPU adapter was found.'],
  GPU_ADAPTER_NOT_MATCHED: ['config', 'No adapter matches the one asked for.'],
  GPU_LIMIT_TOO_LOW: ['machine', 'The adapter lacks a limit or feature that is needed.'],
  GPU_OUT_OF_MEMORY: ['machine', 'The GPU ran out of memory.'],
  GPU_DEVICE_LOST: ['machine', 'The GPU device was lost.'],
  GPU_VALIDATION: ['internal', 'The GPU refused a command.'],
  GPU_SHADER_INVALID: ['internal', 'A shader does not compile.'],
  GPU_SELF_TEST_FAILED: ['machine', 'The GPU computes wrong results.'],
  GPU_NO_ANSWER: ['machine', 'The GPU, or the machine around it, was too busy or hung to answer a check in time.'],
  GPU_DRIVER_SETUP_FAILED: ['machine', 'The software Vulkan driver could not be set up.'],

  // health: the GPU policy of an installation
  GPU_REQUIRED_MISSING: ['config', 'A GPU is required, and none answers.'],
  GPU_SOFTWARE_REFUSED: ['config', 'Only a software adapter answers, and the policy forbids it.'],
  GPU_VENDOR_REFUSED: ['config', 'No GPU is of a vendor that the policy allows.'],
  GPU_MEMORY_TOO_SMALL: ['config', 'The GPU has less memory than the policy demands.'],
  GPU_UNHEALTHY: ['machine', "The vendor's management interface reports a faulty GPU."],
  GPU_ALLOCATION_FAILED: ['machine', 'The GPU memory that the methods need cannot be had.'],

  // weights of networks
  WEIGHTS_INVALID: ['config', 'A file of network weights is damaged, or not of the form that its network needs.'],
  WEIGHTS_MISSING: ['config', 'The network weights that a method reads are not on this machine.'],
  WEIGHTS_LICENCE: ['config', 'The licences of network weights were not accepted on this machine.'],
  WEIGHTS_DOWNLOAD_FAILED: ['machine', 'Network weights could not be fetched.'],
  WEIGHTS_UNSUPPORTED: ['config', 'The weights are of a network, or of a kind of number, that is not supported.'],

  // geometry, render, methods
  SURFACE_EMPTY: ['input', 'The views leave no volume: no surface could be made.'],
  METHOD_UNKNOWN: ['input', 'There is no method of that name.'],
  METHOD_REQUIREMENTS: ['input', 'The capture lacks something that the method needs.'],
  METHOD_DEVICE_TOO_SMALL: ['config', 'The device is too small or too slow for the networks of the method.'],
  OPTIMISATION_DIVERGED: ['internal', 'An optimisation produced numbers that are not finite.'],

  // asset, quality
  ASSET_UNREADABLE: ['input', 'An asset file cannot be read.'],
  ASSET_INVALID: ['internal', 'A written asset does not pass its own check.'],

  // jobs
  JOB_TIME_LIMIT: ['config', 'The job ran longer than the limit of this installation.'],
  WORKER_LOST: ['machine', 'The process that ran the job ended unexpectedly.'],
  WORKER_STALLED: ['machine', 'The process that ran the job made no progress for too long.'],
  WORKER_START_FAILED: ['machine', 'A worker process could not be started.'],
  DATA_FOLDER_FOREIGN: ['config', 'The data folder belongs to another user.'],
  DATA_FOLDER_IN_USE: ['config', 'Another process holds the data folder.'],
  DATABASE_UNAVAILABLE: ['machine', 'The database cannot be reached.'],
  DATABASE_TOO_NEW: ['config', 'The database was written by a newer Plinth.'],
  BACKUP_INVALID: ['input', 'The folder is no backup, or not what was written.'],
  RESTORE_NOT_EMPTY: ['config', 'The service to restore to holds jobs or keys already.'],
  STORAGE_UNAVAILABLE: ['machine', 'The artifact storage cannot be reached or refuses.'],
  DISK_LOW: ['machine', 'Too little disk space is left.'],
  DELIVERY_NOT_FOUND: ['input', 'The job has no webhook message of that id.'],
  WEBHOOK_URL_REFUSED: ['input', 'The webhook address is not allowed.'],

  // server
  SETTINGS_INVALID: ['config', 'A setting has an unknown name or a value outside its range.'],
  AUTHENTICATION_REQUIRED: ['config', 'API keys may be off on a loopback address only.'],
  LISTEN_FAILED: ['config', 'The server cannot listen on the address.'],
  REQUEST_INVALID: ['input', 'A field of the request is missing or wrong.'],
  ROUTE_NOT_FOUND: ['input', 'There is nothing at this address.'],
  METHOD_NOT_ALLOWED: ['input', 'The address does not answer this HTTP method.'],
  NOT_ACCEPTABLE: ['input', 'The client refuses every form that the address can answer in.'],
  HOST_REFUSED: ['input', 'The request is for a name that is none of this service.'],
  ORIGIN_REFUSED: ['input', 'A page of another site made the request.'],
  UNAUTHENTICATED: ['input', 'The API key is missing, unknown or revoked.'],
  FORBIDDEN: ['input', 'The API key lacks the scope that the address needs.'],
  KEYS_OFF: ['input', 'API keys are off, so none are made or revoked over HTTP.'],
  KEY_NOT_FOUND: ['input', 'There is no API key of that id that works.'],
  KEY_LAST_ADMIN: ['input', 'The last key that manages keys cannot be revoked over HTTP.'],
  QUOTA_JOBS: ['input', 'The API key has as many jobs waiting and running as it may.'],
  QUOTA_GPU_TIME: ['input', 'The API key has used the GPU time that it may use in a day.'],
  QUOTA_STORAGE: ['input', 'The jobs of the API key hold as many bytes as they may.'],
  RATE_LIMITED: ['input', 'Too many requests in a short time.'],
  TOO_MANY_UPLOADS: ['input', 'Too many uploads run at the same time.'],
  QUEUE_FULL: ['machine', 'The queue holds as many jobs as it may.'],
  JOB_NOT_FOUND: ['input', 'There is no job of that id.'],
  JOB_STATE_CONFLICT: ['input', 'The state of the job does not allow this.'],
  RESULT_DAMAGED: ['machine', 'A stored file of a job is not what was written.'],
  FILE_NOT_FOUND: ['input', 'The job has no file of that name.'],
  EXAMPLE_NOT_FOUND: ['input', 'There is no example capture of that name.'],
  PRECONDITION_FAILED: ['input', 'The file is not the one that the request is conditional on.'],
  RANGE_INVALID: ['input', 'The asked range lies outside the file.'],
  IDEMPOTENCY_KEY_REUSED: ['input', 'The idempotency key was used for another request.'],
  UPLOAD_EMPTY: ['input', 'The upload holds no file.'],
  UPLOAD_NOT_FOUND: ['input', 'There is no upload of that id.'],
  UPLOAD_DIRECT_OFF: ['input', 'The service has no storage that clients reach themselves.'],
  UPLOAD_INCOMPLETE: ['input', 'The upload is not complete yet.'],
  UPLOAD_OFFSET_CONFLICT: ['input', 'The part does not begin where the upload ends.'],
  UPLOAD_CHECKSUM_MISMATCH: ['input', 'The part does not have the checksum that was sent with it.'],
  UPLOAD_TOO_LARGE: ['input', 'The body is larger than the limit.'],
  UPLOAD_TOO_MANY_FILES: ['input', 'The upload or archive holds more files than the limit.'],
  UPLOAD_TOO_SLOW: ['input', 'The body arrives too slowly.'],
  UPLOAD_TRUNCATED: ['input', 'The body ended before it was complete.'],
  UPLOAD_TYPE_UNSUPPORTED: ['input', 'The body is of a type that is not understood.'],
  TUS_VERSION_UNSUPPORTED: ['input', 'The client speaks another version of the tus protocol.'],
  SHUTTING_DOWN: ['machine', 'The server is stopping and takes no new work.'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;

/** One of the codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * Exit codes that differ from those of the kind: whoever starts a server can tell by them which GPU demand is not met.
 */
export const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  GPU_REQUIRED_MISSING: 10,
  GPU_SOFTWARE_REFUSED: 11,
  GPU_VENDOR_REFUSED: 12,
  GPU_MEMORY_TOO_SMALL: 13,
  GPU_UNHEALTHY: 14,
  GPU_ALLOCATION_FAILED: 15,
  GPU_SELF_TEST_FAILED: 16,
};

/** What an error says, besides its code. */
export interface ErrorFacts {
  /** What was found, in one sentence that names the file, option or device. */
  found: string;
  /** What was expected instead. */
  expected?: string;
  /** What the user can do about it: words, or data where it names an option or a command (`remedy.ts`). */
  remedy?: Remedy;
  /** The file, option or device at fault, for programs. */
  subject?: string;
  cause?: unknown;
}

/** An error with a stable code, which says what was found, what was expected and what to do. */
export class PlinthError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly found: string;
  readonly expected?: string;
  readonly remedy?: Remedy;
  readonly subject?: string;

  constructor(code: ErrorCode, facts: ErrorFacts | string) {
    const f: ErrorFacts = typeof facts === 'string' ? { found: facts } : facts;
    super(inWords(f, LIBRARY_WORDS), f.cause === undefined ? undefined : { cause: f.cause });
    this.name = 'PlinthError';
    this.code = code;
    this.kind = ERROR_CODES[code][0];
    this.found = f.found;
    this.expected = f.expected;
    this.remedy = f.remedy;
    this.subject = f.subject;
  }

  /** What was found and what was expected, without the remedy. */
  get summary(): string {
    return inWords({ found: this.found, expected: this.expected }, LIBRARY_WORDS);
  }

  /** The whole message, its remedy as `words` call things. */
  inWords(words: RemedyWords): string {
    return inWords(this, words);
  }

  /** The process exit code of the command line for this error. */
  get exitCode(): number {
    return EXIT_CODES[this.code] ?? ERROR_KINDS[this.kind].exitCode;
  }

  /** The error's parts, without its cause. */
  toJSON(): Record<string, unknown> {
    const { code, kind, message, found, expected, subject } = this;
    return { code, kind, message, found, expected, remedy: wordRemedy(this.remedy, LIBRARY_WORDS), subject };
  }
}

/**
 * Turns anything thrown into a `PlinthError`; an abort becomes `CANCELLED`, a full disk `DISK_LOW`, the unknown
 * `INTERNAL`.
 */
export function toPlinthError(error: unknown): PlinthError {
  if (error instanceof PlinthError) return error;
  if (isDiskFull(error)) return diskFull(error);
  if (error instanceof Error && error.name === 'AbortError') {
    return new PlinthError('CANCELLED', { found: 'The work was cancelled', cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new PlinthError('INTERNAL', { found: message, cause: error });
}

/** Why something failed, as it is kept and passed on: code, sentences, and the remedy as data. */
export interface Failure {
  code: ErrorCode;
  message: string;
  remedy?: Remedy;
}

/** The failure that an error is; the remedy stands beside the message, not in it. */
export function toFailure(error: unknown): Failure {
  const { code, summary, remedy } = toPlinthError(error);
  return { code, message: summary, remedy };
}

/** What the file system and PostgreSQL (`disk_full`) say when nothing more can be written. */
const DISK_FULL = ['ENOSPC', 'EDQUOT', '53100'];

/**
 * Whether the error, or what caused it, is that the disk is full. Libraries that write files themselves say it in words
 * only.
 */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (DISK_FULL.includes((at as { code?: string }).code ?? '') || /no space left on device/i.test(at.message))
      return true;
  }
  return false;
}

export const diskFull = (cause: unknown): PlinthError =>
  new PlinthError('DISK_LOW', {
    found: 'The disk is full',
    remedy: 'Give it more room; what was begun can then go on or be tried again',
    cause,
  });

/** Throws `CANCELLED` if the signal is aborted. Call it between steps of long work. */
export function throwIfCancelled(signal?: AbortSignal): void {
  if (signal?.aborted) throw new PlinthError('CANCELLED', 'The work was cancelled');
}

function inWords(facts: Pick<ErrorFacts, 'found' | 'expected' | 'remedy'>, words: RemedyWords): string {
  const parts = [sentence(facts.found)];
  if (facts.expected) parts.push(`Expected: ${sentence(facts.expected)}`);
  const remedy = wordRemedy(facts.remedy, words);
  if (remedy) parts.push(sentence(remedy));
  return parts.join(' ');
}

function sentence(text: string): string {
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}
