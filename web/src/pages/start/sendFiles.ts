import type { NamedFile, PlinthClient } from '../../api.js';
import { type BegunUpload, signature } from './interruptedUpload.js';
import { afterEvent, isLost, pauseAfter, type SendEvent, type Sending } from './sending.js';

/** Bytes of one request: small enough that little is sent twice after an interruption. */
const PART = 2 * 2 ** 20;

/** What sending needs of the world. */
export interface SendPorts {
  service: Pick<PlinthClient, 'upload' | 'getUpload'>;
  /** The upload that was begun before the page was left, if any. */
  begun(): BegunUpload | undefined;
  remember(upload: BegunUpload): void;
  /** Milliseconds. */
  now(): number;
  /** Resolves after that many seconds, or at once on an abort. */
  wait(seconds: number, signal: AbortSignal): Promise<void>;
}

/**
 * Sends all files and returns the id of the upload; lost connections only make it longer. What was begun earlier with
 * the same files is gone on with.
 * @param start the state after `begun`
 * @throws what the service refuses, and the signal's reason
 */
export async function sendFiles(
  files: NamedFile[],
  name: string,
  start: Sending,
  ports: SendPorts,
  tell: (event: SendEvent) => void,
  signal: AbortSignal,
): Promise<string> {
  let state = start;
  const happen = (event: SendEvent): void => {
    state = afterEvent(state, event);
    tell(event);
  };
  for (;;) {
    try {
      happen({ type: 'connecting' });
      const done = await ports.service.upload(files, {
        name,
        resume: state.upload ?? (await interrupted(files, ports)),
        partBytes: PART,
        signal,
        onProgress({ id, received, bytes }) {
          ports.remember({ id, name, files: signature(files) });
          happen({ type: 'arrived', id, received, bytes, at: ports.now() });
        },
      });
      return done.id;
    } catch (error) {
      if (signal.aborted || !isLost(error)) throw error;
      happen({ type: 'lost' });
      await ports.wait(pauseAfter(state), signal);
      signal.throwIfAborted();
    }
  }
}

/** The upload of the same files that an earlier visit began and the service still has. */
async function interrupted(files: NamedFile[], { service, begun }: SendPorts): Promise<string | undefined> {
  const earlier = begun();
  if (earlier?.files !== signature(files)) return undefined;
  return await service.getUpload(earlier.id).then(
    () => earlier.id,
    () => undefined,
  );
}
