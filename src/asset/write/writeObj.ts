import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Asset } from '../../core/asset.js';
import type { ColorImage } from '../../core/image.js';
import { VERSION } from '../../core/version.js';
import { encodeTexture, type TextureEncoder } from './encodeTexture.js';
import { formatFloat } from './formatNumber.js';
import { shiftWords } from './writeShift.js';

/**
 * Writes a Wavefront OBJ with its material library and PNG textures into a folder: `<name>.obj`, `<name>.mtl`,
 * `<name>_baseColor.png` and, for PBR, `_roughness`, `_metallic`, `_occlusion` and `_normal`. Texture coordinates have
 * their origin at the lower left, as the format wants.
 *
 * A baked-light material has illumination model 0 (constant colour). PBR uses the widely read extension `Pr Pm map_Pr
 * map_Pm norm`.
 *
 * Vertices of an asset with an origin of its own are about that origin, since readers of OBJ take 32-bit numbers: a
 * comment has the shift, and `shift.json` (`writeShift`).
 *
 * @returns the names of the files.
 */
export async function writeObj(
  asset: Asset,
  folder: string,
  name = 'mesh',
  encode: TextureEncoder = encodeTexture,
): Promise<string[]> {
  const { mesh, material } = asset;
  const shift = asset.origin ? [`# ${shiftWords(asset.origin)}`] : [];
  const lines = [`# Plinth ${VERSION}`, ...shift, `mtllib ${name}.mtl`, 'o object'];
  const { positions: p, normals, uvs, indices } = mesh;
  for (let i = 0; i < p.length; i += 3)
    lines.push(`v ${formatFloat(p[i])} ${formatFloat(p[i + 1])} ${formatFloat(p[i + 2])}`);
  if (uvs)
    for (let i = 0; i < uvs.length; i += 2) lines.push(`vt ${formatFloat(uvs[i])} ${formatFloat(1 - uvs[i + 1])}`);
  if (normals)
    for (let i = 0; i < normals.length; i += 3)
      lines.push(`vn ${formatFloat(normals[i])} ${formatFloat(normals[i + 1])} ${formatFloat(normals[i + 2])}`);
  lines.push('usemtl material', 's 1');
  const corner = (i: number): string => {
    const n = i + 1;
    if (uvs) return normals ? `${n}/${n}/${n}` : `${n}/${n}`;
    return normals ? `${n}//${n}` : `${n}`;
  };
  for (let t = 0; t < indices.length; t += 3)
    lines.push(`f ${corner(indices[t])} ${corner(indices[t + 1])} ${corner(indices[t + 2])}`);
  const files = [`${name}.obj`];
  await writeFile(join(folder, files[0]), `${lines.join('\n')}\n`);

  const mtl = [`# Plinth ${VERSION}`];
  if (material.kind === 'baked') mtl.push('# The base colour holds the light of the capture: show it unlit.');
  mtl.push('newmtl material', 'Ka 0 0 0', 'Kd 1 1 1', 'Ks 0 0 0', 'd 1');
  const texture = async (keyword: string, suffix: string, image: ColorImage, content: 'color' | 'data') => {
    const file = `${name}_${suffix}.png`;
    await writeFile(join(folder, file), await encode(image, 'png', content));
    mtl.push(`${keyword} ${file}`);
    files.push(file);
  };
  mtl.push(material.kind === 'baked' ? 'illum 0' : 'illum 2');
  await texture('map_Kd', 'baseColor', material.baseColor, 'color');
  if (material.kind === 'pbr') {
    const orm = material.occlusionRoughnessMetallic;
    mtl.push('Pr 1', `Pm ${orm ? 1 : 0}`);
    if (orm) {
      await texture('map_Pr', 'roughness', channel(orm, 1), 'data');
      await texture('map_Pm', 'metallic', channel(orm, 2), 'data');
      await texture('map_Ka', 'occlusion', channel(orm, 0), 'data');
    }
    if (material.normal) await texture('norm', 'normal', material.normal, 'data');
  }
  await writeFile(join(folder, `${name}.mtl`), `${mtl.join('\n')}\n`);
  files.splice(1, 0, `${name}.mtl`);
  return files;
}

/** One channel as a grey image. */
function channel(image: ColorImage, k: number): ColorImage {
  const data = new Uint8ClampedArray(image.data.length);
  for (let i = 0; i < data.length; i += 4) data.fill(image.data[i + k], i, i + 3).fill(255, i + 3, i + 4);
  return { width: image.width, height: image.height, data };
}
