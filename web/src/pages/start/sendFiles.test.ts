import { describe, expect, it } from 'vitest';
import { ApiError, type NamedFile, type Upload } from '../../../../src/api/client.js';
import type { BegunUpload } from './interruptedUpload.js';
import { type SendPorts, sendFiles } from './sendFiles.js';
import { afterEvent, IDLE, type Sending } from './sending.js';

const FILES: NamedFile[] = [{ name: 'a.png', data: new Blob(['abcdefgh']) }];
const START = afterEvent(IDLE, { type: 'begun', bytes: 8 });

type Attempt = (options: Parameters<SendPorts['service']['upload']>[1]) => Promise<string>;

/** A world in which each attempt to upload does what the list says. */
function world(attempts: Attempt[], known: string[] = [], earlier?: BegunUpload) {
  const seen = { waits: [] as number[], resumes: [] as (string | undefined)[], remembered: [] as string[] };
  const ports: SendPorts = {
    service: {
      upload: async (_, options = {}) => {
        seen.resumes.push(options.resume);
        return { id: await attempts.shift()!(options) } as Upload;
      },
      getUpload: async (id) => {
        if (!known.includes(id)) throw new ApiError(404, { code: 'UPLOAD_NOT_FOUND', detail: 'gone' });
        return { id } as Upload;
      },
    },
    begun: () => earlier,
    remember: (upload) => void seen.remembered.push(upload.id),
    now: () => 0,
    wait: async (seconds) => void seen.waits.push(seconds),
  };
  return { ports, seen };
}

const brings =
  (received: number, then: () => string): Attempt =>
  async (options) => {
    options?.onProgress?.({ id: 'u1', received, bytes: 8 });
    return then();
  };
const fails = (error: unknown) => () => {
  throw error;
};

async function send(ports: SendPorts, signal = new AbortController().signal) {
  let state: Sending = START;
  const id = await sendFiles(FILES, 'cup', START, ports, (event) => (state = afterEvent(state, event)), signal);
  return { id, state };
}

describe('sendFiles', () => {
  it('goes on with the same upload after lost connections and faults of a proxy', async () => {
    const { ports, seen } = world([
      brings(0, fails(new TypeError('fetch failed'))),
      brings(4, fails(new ApiError(502, { code: 'HTTP_502', detail: 'bad gateway' }))),
      brings(8, () => 'u1'),
    ]);
    const { id, state } = await send(ports);
    expect([id, seen.resumes, seen.waits]).toEqual(['u1', [undefined, 'u1', 'u1'], [1, 2]]);
    expect(state).toMatchObject({ received: 8, lost: false });
    expect(seen.remembered).toEqual(['u1', 'u1', 'u1']);
  });

  it('throws what the service refuses, at once', async () => {
    const refusal = new ApiError(413, { code: 'UPLOAD_TOO_LARGE', detail: 'too large' });
    const { ports, seen } = world([fails(refusal) as Attempt]);
    await expect(send(ports)).rejects.toBe(refusal);
    expect(seen.waits).toEqual([]);
  });

  it('takes up what an earlier visit began with the same files, where the service still has it', async () => {
    const same = { id: 'old', name: 'cup', files: 'a.png:8' };
    const taken = world([async () => 'old'], ['old'], same);
    await send(taken.ports);
    const gone = world([async () => 'new'], [], same);
    await send(gone.ports);
    const other = world([async () => 'new'], ['old'], { ...same, files: 'a.png:9' });
    await send(other.ports);
    expect([taken.seen.resumes, gone.seen.resumes, other.seen.resumes]).toEqual([['old'], [undefined], [undefined]]);
  });

  it('stops on an abort, also while it waits', async () => {
    const stop = new AbortController();
    const { ports } = world([brings(4, fails(new TypeError('fetch failed'))), async () => 'u1']);
    ports.wait = async () => stop.abort();
    await expect(send(ports, stop.signal)).rejects.toThrow(/abort/i);
  });
});
