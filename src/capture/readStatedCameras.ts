import { basename, dirname, resolve } from 'node:path';
import { PlinthError } from '../core/errors.js';
import { folderAccess, listFolder } from './files/captureFolder.js';
import { readColmap } from './formats/colmap.js';
import { readExport } from './formats/exports.js';
import type { ReadSources } from './formats/sources.js';
import { readTransforms } from './formats/transforms.js';
import { findLayouts, type Layout } from './layout/detect.js';
import { type ReadOptions, resolveReadOptions } from './options.js';

/**
 * The cameras that a folder or a transforms file states, as they are stated: lenses distorted, pictures not looked at.
 *
 * @throws CAPTURE_NO_CAMERAS where none are stated, and what the readers throw
 */
export async function readStatedCameras(path: string, options?: ReadOptions): Promise<ReadSources> {
  const full = resolve(path);
  const resolved = resolveReadOptions(options);
  const isFile = /\.json$/i.test(full);
  const folder = await listFolder(isFile ? dirname(full) : full);
  const layouts: Layout[] = isFile
    ? [{ kind: 'transforms', root: '', files: [{ file: basename(full), split: 'train' }], unread: [] }]
    : await findLayouts(folderAccess(folder));
  for (const layout of layouts) {
    if (layout.kind === 'transforms') return readTransforms(folder, layout.files, resolved);
    if (layout.kind === 'colmap') return readColmap(folder, layout.root, resolved);
    if (layout.kind === 'export') return readExport(folder, layout, resolved);
  }
  throw new PlinthError('CAPTURE_NO_CAMERAS', {
    found: `${full} states no cameras that could be refined`,
    expected: 'transforms.json, a COLMAP model, or an export of another program, with its photos',
    remedy: 'Give them without --refine to have cameras found',
    subject: full,
  });
}
