import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { PlinthError } from '../../core/errors.js';
import type { ResultFile } from '../jobRecord.js';
import type { ArtifactFacts, ArtifactStore } from './artifactStore.js';

/**
 * Files whose content was found right, by key and facts, and until when that is believed: so that ranges of a large one
 * need not read all of it each time. Not for long, since a disk that fails changes no date.
 */
const known = new Map<string, number>();
const KNOWN_LIMIT = 1_000;
const KNOWN_MS = 60_000;

const damaged = (name: string, found: string): PlinthError =>
  new PlinthError('RESULT_DAMAGED', {
    found: `${name} ${found}`,
    expected: 'the bytes that were stored when the job succeeded',
    remedy: 'Look at the storage, bring the file back from a backup, or run the job again',
    subject: name,
  });

/**
 * Looks at a stored file of a result without reading it. @throws `RESULT_DAMAGED` where it is missing or of another
 * size
 */
export async function statResult(store: ArtifactStore, key: string, file: ResultFile): Promise<ArtifactFacts> {
  const facts = await store.stat(key);
  if (!facts) throw damaged(file.name, 'is missing in the storage');
  if (facts.bytes !== file.bytes) throw damaged(file.name, `has ${facts.bytes} bytes instead of ${file.bytes}`);
  return facts;
}

/**
 * A stored file of a result, not empty, whole, or in part: then all of it is read once before. The last bytes of a
 * whole one are held back until its SHA-256 is known to be right, so that no reader takes a damaged file for a good
 * one: its stream ends with `RESULT_DAMAGED`.
 */
export async function readResult(
  store: ArtifactStore,
  key: string,
  file: ResultFile,
  facts: ArtifactFacts,
  range?: { start: number; end: number },
): Promise<Readable> {
  const { name, sha256 } = file;
  const source = async (part?: typeof range): Promise<Readable> =>
    await store.read(key, part).catch((error) => {
      if (error instanceof PlinthError && error.code === 'FILE_NOT_FOUND')
        throw damaged(name, 'is missing in the storage');
      throw error;
    });
  // No more than the answer says, should the file grow meanwhile.
  const all = { start: 0, end: facts.bytes - 1 };
  // Results of version 0.1 have no SHA-256.
  if (sha256 === undefined) return await source(range ?? all);
  const id = `${key}|${facts.etag}|${facts.changed ?? ''}`;
  if (range && (known.get(id) ?? 0) > Date.now()) return await source(range);
  const whole = checked(await source(all), name, sha256, () => {
    known.delete(id);
    if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value!);
    known.set(id, Date.now() + KNOWN_MS);
  });
  if (!range) return whole;
  whole.resume();
  await finished(whole);
  return await source(range);
}

function checked(source: Readable, name: string, sha256: string, right: () => void): Readable {
  const hash = createHash('sha256');
  let held: Buffer | undefined;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const before = held;
      held = chunk;
      done(null, before);
    },
    flush(done) {
      if (hash.digest('hex') !== sha256) return done(damaged(name, 'holds something else than was stored'));
      right();
      done(null, held);
    },
  });
  return pipeline(source, check, () => {});
}
