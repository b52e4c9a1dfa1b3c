import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import type { PlinthError } from '../core/errors.js';
import { findWeights, invalidFile, missingWeights, nameOf, pathOf, readError } from './folder.js';
import { filesOf, type PlacedFile, type WeightManifest } from './manifest.js';
import { type ByteSource, Safetensors } from './safetensors.js';
import type { WeightFiles } from './weightFiles.js';

/** The files of a method's weights in a folder. Nothing is read before it is asked for, and no file stays open. */
export function openWeights(
  manifest: WeightManifest,
  folder: string,
  allowed: Partial<Pick<WeightFiles, 'testModels' | 'onSoftware'>> = {},
): WeightFiles {
  const place = (repository: string, path: string): PlacedFile => {
    const found = filesOf(manifest, true).find((p) => p.repository.name === repository && p.file.path === path);
    if (!found) throw new RangeError(`${repository}/${path} is none of the weights of ${manifest.method}`);
    return found;
  };
  const missing = async (): Promise<PlinthError> => {
    const found = await findWeights(manifest, folder);
    return missingWeights(manifest, folder, found.filter(({ size }) => size !== undefined).length, found.length);
  };
  return {
    testModels: allowed.testModels ?? false,
    onSoftware: allowed.onSoftware ?? false,
    async tensors(repository, path) {
      const placed = place(repository, path);
      return await Safetensors.open(await fileSource(pathOf(folder, placed), nameOf(placed), missing));
    },
    async json(repository, path) {
      const placed = place(repository, path);
      const text = await readFile(pathOf(folder, placed), 'utf8').catch(async (error) => {
        throw isAbsent(error) ? await missing() : readError(nameOf(placed), error);
      });
      try {
        const value: unknown = JSON.parse(text);
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          return value as Record<string, unknown>;
        }
      } catch {
        // Said below.
      }
      throw invalidFile(nameOf(placed), 'is no JSON object');
    },
    async identity() {
      const hash = createHash('sha256');
      for (const placed of filesOf(manifest, true)) {
        const facts = await stat(pathOf(folder, placed)).catch(() => undefined);
        hash.update(JSON.stringify([nameOf(placed), facts?.size, facts?.mtimeMs]));
      }
      return hash.digest('hex');
    },
  };
}

const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

/** A file as bytes to read from; it is opened for each read. */
async function fileSource(path: string, name: string, missing: () => Promise<PlinthError>): Promise<ByteSource> {
  const facts = await stat(path).catch(async (error) => {
    throw isAbsent(error) ? await missing() : readError(name, error);
  });
  return {
    name,
    size: facts.size,
    async read(offset, length) {
      const unreadable = (error: unknown): never => {
        throw readError(name, error);
      };
      const handle = await open(path).catch(unreadable);
      try {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; ) {
          const { bytesRead } = await handle.read(bytes, at, length - at, offset + at).catch(unreadable);
          if (bytesRead === 0) throw invalidFile(name, 'ends while it is read');
          at += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}
