import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlinthError } from '../core/errors.js';

const FOLDER = fileURLToPath(new URL('../../examples/captures', import.meta.url));

export interface Example {
  name: string;
  /** Pictures, depth maps and metadata. */
  files: number;
  bytes: number;
}

/** The captures that come with Plinth. */
export async function listExamples(): Promise<Example[]> {
  const examples: Example[] = [];
  for (const entry of await readdir(FOLDER, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    let files = 0;
    let bytes = 0;
    for (const file of await readdir(join(FOLDER, entry.name), { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      files++;
      bytes += (await stat(join(file.parentPath, file.name))).size;
    }
    examples.push({ name: entry.name, files, bytes });
  }
  return examples.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Path of a picture that stands for an example: its front view, else the first one.
 * @throws `EXAMPLE_NOT_FOUND`
 */
export async function examplePicture(name: string): Promise<string> {
  const folder = await exampleFolder(name);
  const pictures = (await readdir(folder, { recursive: true }))
    .filter((file) => /\.(png|jpe?g|webp)$/.test(file) && !/depth/.test(file))
    .sort();
  return join(folder, pictures.find((file) => /(^|\/)front\.\w+$/.test(file)) ?? pictures[0]);
}

/** @throws `EXAMPLE_NOT_FOUND` */
export async function exampleFolder(name: string): Promise<string> {
  const names = (await listExamples()).map((e) => e.name);
  if (names.includes(name)) return join(FOLDER, name);
  throw new PlinthError('EXAMPLE_NOT_FOUND', {
    found: `There is no example "${name}"`,
    expected: names.join(', '),
    subject: 'example',
  });
}
