import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ASSET_FORMATS, type Asset, type AssetFormat } from '../../core/asset.js';
import type { ProgressSink } from '../../core/context.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { checkUsdz } from './checkUsdz.js';
import { sharedEncoder } from './encodeTexture.js';
import { writeGlb } from './writeGlb.js';
import { writeHdr } from './writeHdr.js';
import { writeObj } from './writeObj.js';
import { writePly } from './writePly.js';
import { writeShift } from './writeShift.js';
import { encodeUsdz } from './writeUsdz.js';

export interface WriteAssetOptions {
  /** Default: all. */
  formats?: readonly AssetFormat[];
  /** See `GlbOptions`. */
  meshopt?: boolean;
  webp?: boolean;
}

/**
 * Writes an asset into an existing folder: `asset.glb`, `mesh.obj` with `mesh.mtl` and textures, `mesh.ply`,
 * `asset.usdz`, where the method found the light `light.hdr`, and `shift.json` beside OBJ and PLY where the asset has
 * an origin of its own.
 *
 * @returns the names of the files, in the order of writing.
 */
export async function writeAsset(
  asset: Asset,
  folder: string,
  options: WriteAssetOptions = {},
  context: { signal?: AbortSignal; progress?: ProgressSink } = {},
): Promise<string[]> {
  const { formats = ASSET_FORMATS, meshopt, webp } = options;
  const chosen = ASSET_FORMATS.filter((f) => formats.includes(f));
  const files: string[] = [];
  const encode = sharedEncoder();
  for (const [i, format] of chosen.entries()) {
    throwIfCancelled(context.signal);
    context.progress?.({
      stage: 'export',
      title: 'Writing the asset',
      fraction: i / chosen.length,
      detail: format.toUpperCase(),
    });
    if (format === 'glb') {
      await writeGlb(asset, join(folder, 'asset.glb'), { meshopt, webp }, encode);
      files.push('asset.glb');
    } else if (format === 'obj') {
      files.push(...(await writeObj(asset, folder, 'mesh', encode)));
    } else if (format === 'ply') {
      await writePly(asset, join(folder, 'mesh.ply'));
      files.push('mesh.ply');
    } else {
      const usdz = await encodeUsdz(asset, encode);
      const problems = checkUsdz(usdz);
      if (problems.length > 0)
        throw new PlinthError('ASSET_INVALID', { found: `asset.usdz: ${problems.join(' ')}`, subject: 'asset.usdz' });
      await writeFile(join(folder, 'asset.usdz'), usdz);
      files.push('asset.usdz');
    }
  }
  const { origin } = asset;
  if (origin && (chosen.includes('obj') || chosen.includes('ply'))) files.push(await writeShift({ origin }, folder));
  if (asset.environment) {
    await writeHdr(asset.environment, join(folder, 'light.hdr'));
    files.push('light.hdr');
  }
  throwIfCancelled(context.signal);
  context.progress?.({ stage: 'export', title: 'Writing the asset', fraction: 1 });
  return files;
}
