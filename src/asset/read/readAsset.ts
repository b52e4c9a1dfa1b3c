import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Asset } from '../../core/asset.js';
import { readGlb } from './readGlb.js';
import { readHdr } from './readHdr.js';

/**
 * Reads an asset as `writeAsset` leaves it: the GLB and, for a material that can be lit, the light that was found with
 * it (`light.hdr` in the same folder), which glTF itself cannot hold.
 * @throws ASSET_UNREADABLE
 */
export async function readAsset(glb: string): Promise<Asset> {
  const asset = await readGlb(glb);
  const light = join(dirname(glb), 'light.hdr');
  if (asset.material.kind !== 'pbr' || !existsSync(light)) return asset;
  return { ...asset, environment: await readHdr(light) };
}
