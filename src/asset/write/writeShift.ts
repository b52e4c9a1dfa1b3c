import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Asset } from '../../core/asset.js';
import type { Vec3 } from '../../core/math.js';

/** The file beside OBJ and PLY that has their shift for programs. */
export const SHIFT_FILE = 'shift.json';

/** The shift in words, for a comment of a file: what to add to its vertices for the frame of the input (+Y up). */
export const shiftWords = (origin: Vec3): string => `shift ${origin.join(' ')}: add it to every vertex`;

/**
 * Writes `shift.json` for formats that have no place for the origin of an asset: `shift` is what to add to every vertex
 * of mesh.obj and mesh.ply to get to the frame of the input, turned to +Y up.
 */
export async function writeShift({ origin }: Required<Pick<Asset, 'origin'>>, folder: string): Promise<string> {
  const what = { shift: origin, files: ['mesh.obj', 'mesh.ply'], frame: 'of the input, turned to +Y up' };
  await writeFile(join(folder, SHIFT_FILE), `${JSON.stringify(what, null, 2)}\n`);
  return SHIFT_FILE;
}
