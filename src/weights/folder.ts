import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '../core/errors.js';
import { filesOf, type PlacedFile, type WeightManifest, type WeightRepository } from './manifest.js';
import { type ByteSource, Safetensors } from './safetensors.js';

/** What a download found out about a file. */
export interface FileRecord {
  size: number;
  /** 64 hexadecimal digits. */
  sha256: string;
  /** The server stated that hash; else it is that of what came. */
  stated: boolean;
  /** Branch, tag or commit that the file is of. */
  revision: string;
}

/** What stands beside the repositories in the folder of weights. */
interface Notes {
  /** Licence terms that were accepted here, by repository. */
  accepted: Record<string, string>;
  /** Files that were fetched, by repository and path. */
  files: Record<string, FileRecord>;
}

const NOTES = 'plinth-weights.json';

/** Where a file lies below the folder of weights. */
export const pathOf = (folder: string, { repository, file }: PlacedFile): string =>
  join(folder, ...repository.name.split('/'), ...file.path.split('/'));

/** `owner/name/path`: a file's name in messages and notes. */
export const nameOf = ({ repository, file }: PlacedFile): string => `${repository.name}/${file.path}`;

/** The notes in that folder; none where there are no readable ones, after which files are looked at anew. */
export async function readNotes(folder: string): Promise<Notes> {
  const none: Notes = { accepted: {}, files: {} };
  try {
    const notes = JSON.parse(await readFile(join(folder, NOTES), 'utf8')) as Partial<Notes> | null;
    return { accepted: { ...notes?.accepted }, files: { ...notes?.files } };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || error instanceof SyntaxError) return none;
    throw readError(NOTES, error);
  }
}

/** Replaces the notes, never halfway. */
export async function writeNotes(folder: string, notes: Notes): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, NOTES);
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify(notes, null, 2)}\n`);
  await rename(`${path}.${process.pid}`, path);
}

/** Whether these terms were accepted in this folder; other terms than before have to be accepted anew. */
export const isAccepted = (notes: Notes, { name, licence }: WeightRepository): boolean =>
  notes.accepted[name] === licence.terms;

/** What a user is told who has not accepted the terms of these repositories; `undefined` where all are accepted. */
export function notAccepted({ method, repositories }: WeightManifest, notes: Notes): PlinthError | undefined {
  const open = repositories.filter((repository) => !isAccepted(notes, repository));
  if (open.length === 0) return undefined;
  return new PlinthError('WEIGHTS_LICENCE', {
    found: `The licences of ${open.map(({ name }) => name).join(', ')} were not accepted on this machine`,
    expected: `their acceptance: ${open.map(({ licence }) => licence.url).join(', ')}`,
    remedy: `Read them, and if you accept them run \`plinth weights download ${method} --accept-licences\``,
    subject: open[0].name,
  });
}

/** Bytes of the file at that path; `undefined` where there is none. @param name for messages */
export async function sizeAt(path: string, name: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw readError(name, error);
  }
}

/** SHA-256 of a file, as 64 hexadecimal digits. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { signal, highWaterMark: 2 ** 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/**
 * Checks the form of a file: a safetensors header strictly, of a .json that it is a JSON object.
 * @param name for messages
 * @throws `WEIGHTS_INVALID`, `WEIGHTS_UNSUPPORTED`
 */
export async function checkForm(path: string, name: string): Promise<void> {
  if (name.endsWith('.json')) {
    const text = await readFile(path, 'utf8');
    if (!isJsonObject(text)) throw invalidFile(name, 'is no JSON object');
    return;
  }
  const handle = await open(path);
  try {
    const source: ByteSource = {
      name,
      size: (await handle.stat()).size,
      read: async (offset, length) => {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
        if (bytesRead < length) throw invalidFile(name, 'ends while it is read');
        return buffer;
      },
    };
    await Safetensors.open(source);
  } finally {
    await handle.close();
  }
}

export const invalidFile = (name: string, found: string, expected?: string): PlinthError =>
  new PlinthError('WEIGHTS_INVALID', {
    found: `${name} ${found}`,
    expected,
    remedy: 'Delete the file and run `plinth weights download` again',
    subject: name,
  });

/** `WEIGHTS_INVALID` for what the system says of a file that it cannot read; any other error as it is. */
export function readError(name: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return new PlinthError('WEIGHTS_INVALID', {
    found: `${name} is there and cannot be read (${code})`,
    expected: 'a file that this user may read',
    remedy: 'Look at its permissions, at where it is linked to and at the disk',
    subject: name,
    cause: error,
  });
}

/** How one file was found. */
export interface FileState {
  name: string;
  path: string;
  optional: boolean;
  /** Bytes, where there is a file. */
  size?: number;
  /** `unproven`: of good form, but nobody has stated a hash to hold it against. */
  state: 'good' | 'unproven' | 'missing' | 'invalid';
  /** Why it is invalid. */
  error?: PlinthError;
}

/**
 * Reads every file of a method's weights whole: size and SHA-256 against the manifest or, where that pins none, against
 * what the server stated at the download; headers strictly. Optional files count where they are there.
 * @param folder the folder of weights
 * @param report called before each file
 */
export async function verifyWeights(
  manifest: WeightManifest,
  folder: string,
  signal?: AbortSignal,
  report?: (name: string) => void,
): Promise<FileState[]> {
  const notes = await readNotes(folder);
  const states: FileState[] = [];
  for (const placed of filesOf(manifest, true)) {
    const name = nameOf(placed);
    const path = pathOf(folder, placed);
    const base = { name, path, optional: placed.file.optional ?? false };
    let size: number | undefined;
    try {
      size = await sizeAt(path, name);
      if (size === undefined) {
        states.push({ ...base, state: 'missing' });
        continue;
      }
      report?.(name);
      const noted = notes.files[name];
      const wantedSize = placed.file.size ?? noted?.size;
      if (wantedSize !== undefined && wantedSize !== size) {
        throw invalidFile(name, `has ${size} bytes`, `${wantedSize}`);
      }
      await checkForm(path, name);
      const wanted = placed.file.sha256 ?? noted?.sha256;
      const found = wanted === undefined ? undefined : await hashFile(path, signal);
      if (found !== wanted) throw invalidFile(name, `has the SHA-256 ${found}`, wanted);
      const proven = placed.file.sha256 !== undefined || noted?.stated === true;
      states.push({ ...base, size, state: proven ? 'good' : 'unproven' });
    } catch (caught) {
      const error = readError(name, caught);
      if (!(error instanceof PlinthError) || error.code === 'CANCELLED') throw error;
      states.push({ ...base, size, state: 'invalid', error });
    }
  }
  return states;
}

/** Which files there are, without reading them. @param optional those as well that the method runs without */
export async function findWeights(
  manifest: WeightManifest,
  folder: string,
  optional = false,
): Promise<{ placed: PlacedFile; size: number | undefined }[]> {
  return await Promise.all(
    filesOf(manifest, optional).map(async (placed) => ({
      placed,
      size: await sizeAt(pathOf(folder, placed), nameOf(placed)),
    })),
  );
}

/** What a user without these weights is told. @param present how many of `wanted` files there are */
export const missingWeights = (
  { method, about }: WeightManifest,
  folder: string,
  present: number,
  wanted: number,
): PlinthError =>
  new PlinthError('WEIGHTS_MISSING', {
    found: `The weights of ${method} are not on this machine (looked in ${folder}: ${present} of ${wanted} files)`,
    remedy:
      `Run \`plinth weights download ${method}\` (${about}; shows the licences first), or name a folder that has ` +
      'them with --weights or PLINTH_WEIGHTS',
    subject: method,
  });

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
