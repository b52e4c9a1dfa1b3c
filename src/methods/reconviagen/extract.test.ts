import { describe, expect, it } from 'vitest';
import { checkMesh } from '../../../test/goldenMesh.js';
import { Golden } from '../../../test/goldens.js';
import { extractMesh } from './extract.js';

describe('the mesh of decoded cubes', () => {
  for (const name of ['sphere', 'random']) {
    it(`is the reference’s, ${name}`, async () => {
      const golden = await Golden.open(`modules/flexicubes_${name}`);
      const resolution = golden.config.resolution as number;
      const cubes = { coords: golden.ints('in.coords'), features: golden.data('in.feats101') };
      checkMesh(golden, extractMesh(cubes, resolution), 1 / resolution);
    });
  }

  it('is the reference’s for a decoded latent, open at the border', async () => {
    const golden = await Golden.open('modules/mesh_dec');
    const cubes = { coords: golden.ints('mid.coords_x4'), features: golden.data('out.feats101') };
    checkMesh(golden, extractMesh(cubes, 64), 1 / 64);
  });

  it('is nothing where all is outside', () => {
    const mesh = extractMesh({ coords: Int32Array.of(1, 1, 1), features: new Float32Array(101).fill(1) }, 4);
    expect([mesh.vertices.length, mesh.faces.length]).toEqual([0, 0]);
  });
});
