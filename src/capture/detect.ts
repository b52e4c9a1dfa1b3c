import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isImageName } from './images/header.js';

/** What a folder turned out to hold. */
export type Detected =
  | { kind: 'transforms'; root: string; files: { file: string; split: 'train' | 'test' }[] }
  | { kind: 'colmap'; root: string; model: string }
  | { kind: 'six-view'; root: string }
  | { kind: 'several-transforms'; root: string; names: string[] }
  | { kind: 'pictures'; root: string; images: string[] }
  | { kind: 'nothing'; root: string; names: string[] };

const SIX = ['front', 'back', 'left', 'right', 'top', 'bottom'];
/** Left behind by archivers and desktops. */
const JUNK = /^(__MACOSX|\.DS_Store|Thumbs\.db|desktop\.ini|\._.*)$/i;

interface Listing {
  files: string[];
  folders: string[];
}

async function list(folder: string): Promise<Listing> {
  const listing: Listing = { files: [], folders: [] };
  for (const name of (await readdir(folder)).sort()) {
    if (JUNK.test(name)) continue;
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info?.isDirectory()) listing.folders.push(name);
    else if (info?.isFile()) listing.files.push(name);
  }
  return listing;
}

/** The names of the six views that a list of files has. */
const sixNames = (files: readonly string[]): string[] =>
  SIX.filter((view) => files.some((file) => isImageName(file) && file.toLowerCase().replace(/\.[^.]+$/, '') === view));

/** The folder of a COLMAP model (cameras and images, text or binary) at or below `root`. */
async function colmapModel(root: string): Promise<string | undefined> {
  for (const below of ['sparse/0', 'sparse', 'colmap/sparse/0', 'colmap/sparse', 'dense/sparse', '.']) {
    const folder = join(root, below);
    const names = await readdir(folder).catch(() => [] as string[]);
    for (const ending of ['bin', 'txt']) {
      if (names.includes(`cameras.${ending}`) && names.includes(`images.${ending}`)) return folder;
    }
  }
  return undefined;
}

/**
 * Finds out what a folder holds. In this order: transforms files (`transforms_train.json` with its splits, `transforms.json`, else the
 * only `transforms*.json`), a COLMAP model, six named views, pictures alone. A folder that holds nothing but one folder, as
 * archives often do, is looked into.
 */
export async function detect(folder: string, depth = 0): Promise<Detected> {
  const { files, folders } = await list(folder);
  const at = (name: string): string => join(folder, name);
  const transforms = files.filter((name) => /^transforms.*\.json$/i.test(name));
  if (files.includes('transforms_train.json')) {
    const held = ['transforms_test.json', 'transforms_val.json'].find((name) => files.includes(name));
    const found = [{ file: at('transforms_train.json'), split: 'train' as const }];
    return {
      kind: 'transforms',
      root: folder,
      files: held ? [...found, { file: at(held), split: 'test' }] : found,
    };
  }
  const single = files.includes('transforms.json')
    ? 'transforms.json'
    : transforms.length === 1
      ? transforms[0]
      : undefined;
  if (single) return { kind: 'transforms', root: folder, files: [{ file: at(single), split: 'train' }] };
  if (transforms.length > 1) return { kind: 'several-transforms', root: folder, names: transforms };
  const model = await colmapModel(folder);
  if (model) return { kind: 'colmap', root: folder, model };
  if (folders.includes('multi_views')) return { kind: 'six-view', root: folder };
  // Three of the six names are no accident; the reader says which are missing.
  if (sixNames(files).length >= 3) return { kind: 'six-view', root: folder };
  const images = await picturesIn(folder, files, folders);
  if (images.length > 0) return { kind: 'pictures', root: folder, images };
  if (depth < 3 && folders.length === 1 && files.filter((name) => !/\.(txt|md|pdf)$/i.test(name)).length === 0) {
    const inner = await detect(at(folders[0]), depth + 1);
    if (inner.kind !== 'nothing') return inner;
  }
  return { kind: 'nothing', root: folder, names: [...folders.map((name) => `${name}/`), ...files] };
}

async function picturesIn(folder: string, files: readonly string[], folders: readonly string[]): Promise<string[]> {
  const found = files.filter(isImageName).map((name) => join(folder, name));
  for (const name of ['images', 'imgs', 'input', 'photos', 'rgb', 'train']) {
    if (!folders.includes(name)) continue;
    found.push(...(await list(join(folder, name))).files.filter(isImageName).map((file) => join(folder, name, file)));
  }
  return found;
}
