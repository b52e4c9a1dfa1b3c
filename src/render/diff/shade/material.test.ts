import { describe, expect, it } from 'vitest';
import { image } from '../../../../test/asset.js';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import { Random } from '../../../core/random.js';
import { createDiffCameras } from '../geometry/cameras.js';
import { createDiffMesh } from '../geometry/mesh.js';
import { createGradients } from '../gradients.js';
import { createAdamGroup, recordAdam } from '../step/adam.js';
import {
  createEmptyMaterial,
  packMaterial,
  pyramidLayout,
  recordMaterialMips,
  recordMaterialStep,
  unpackMaterial,
} from './material.js';

const gpu = useGpu();

/** Level `to` from the level above in a pyramid of 8 channels. */
function mean(texels: Float32Array, width: number, height: number, level: number): number[] {
  const { levels } = pyramidLayout(width, height);
  const [from, to] = [levels[level - 1], levels[level]];
  return Array.from({ length: to.width * to.height * 8 }, (_, i) => {
    const [c, x, y] = [i % 8, Math.floor(i / 8) % to.width, Math.floor(i / 8 / to.width)];
    let sum = 0;
    for (let k = 0; k < 4; k++) {
      const sx = Math.min(from.width - 1, x * 2 + (k & 1));
      const sy = Math.min(from.height - 1, y * 2 + (k >> 1));
      sum += texels[(from.texelOffset + sy * from.width + sx) * 8 + c] / 4;
    }
    return sum;
  });
}

describe('material', () => {
  it.each([
    [64, 16],
    [4, 128],
    [1, 1],
  ])('of %i × %i has levels that are means of those above', async (width, height) => {
    const random = new Random(1);
    const material = createEmptyMaterial(gpu(), width, height);
    gpu().write(
      material.texels,
      Float32Array.from({ length: width * height * 8 }, () => random.float()),
    );
    gpu().run((batch) => recordMaterialMips(batch, material));
    const texels = await gpu().readFloat32(material.texels, material.texelCount * 8);
    const { levels } = pyramidLayout(width, height);
    for (let level = 1; level < levels.length; level++) {
      const at = levels[level].texelOffset * 8;
      mean(texels, width, height, level).forEach((v, i) => {
        expect(Math.abs(texels[at + i] - v)).toBeLessThan(1e-6);
      });
    }
  });

  it('survives packing and unpacking of its 8-bit maps', () => {
    const images = {
      baseColor: image(16, (x, y) => [255 * x, 255 * y, 77]),
      occlusionRoughnessMetallic: image(16, (x, y) => [200, 255 * x, 255 * y]),
      normal: image(16, (x, y) => {
        const n = [0.4 * Math.sin(6 * x), 0.4 * Math.cos(5 * y), 1];
        return n.map((v) => Math.round((v / Math.hypot(...n)) * 127.5 + 127.5));
      }),
    };
    const back = unpackMaterial(packMaterial(images), 16, 16);
    for (const key of ['baseColor', 'occlusionRoughnessMetallic', 'normal'] as const) {
      back[key].data.forEach((v, i) => {
        expect(Math.abs(v - images[key].data[i])).toBeLessThanOrEqual(1);
      });
    }
  });

  it('moves by Adam where a view touched it, with the gradient of all levels, and nowhere else', async () => {
    const [width, height] = [32, 16];
    const material = createEmptyMaterial(gpu(), width, height);
    const start = new Float32Array(width * height * 8).fill(0.5);
    gpu().write(material.texels, start);
    const scene = {
      mesh: createDiffMesh(gpu(), sphere(0)),
      cameras: createDiffCameras(gpu(), [], [0, 0, 0], 1),
      material,
    };
    const gradients = createGradients(gpu(), scene, 1);
    const { levels } = pyramidLayout(width, height);
    const fixed = new Int32Array(material.texelCount * 8);
    const unit = gradients.scales.texel;
    // Texel (3, 2) of level 0 and texel (5, 1) of level 1, which is x 10…11, y 2…3 of level 0.
    fixed[(2 * width + 3) * 8] = 2 * unit;
    fixed[(levels[1].texelOffset + 1 * 16 + 5) * 8 + 4] = -4 * unit;
    gpu().write(gradients.texels, fixed);
    const flags = new Int32Array(gradients.overflowOffset - gradients.flagOffset);
    flags[levels[0].tileOffset] = 1;
    flags[levels[1].tileOffset + 1] = 1;
    gpu().write(gradients.scatter, flags, gradients.flagOffset * 4);
    const rates = { baseColor: 0.1, occlusion: 0.1, roughness: 0.02, metallic: 0.1, normal: 0.1 };
    gpu().run((batch) => {
      recordMaterialMips(batch, material);
      recordMaterialStep(batch, material, gradients, rates);
    });
    const texels = await gpu().readFloat32(material.texels, material.texelCount * 8);
    const squares = await gpu().readFloat32(material.moment2, width * height * 8);
    for (let i = 0; i < width * height * 8; i++) {
      const [c, x, y] = [i % 8, Math.floor(i / 8) % width, Math.floor(i / 8 / width)];
      const own = c === 0 && x === 3 && y === 2;
      const above = c === 4 && (x === 10 || x === 11) && (y === 2 || y === 3);
      expect(Math.abs(texels[i] - (own ? 0.4 : above ? 0.52 : 0.5)), `${x} ${y} ${c}`).toBeLessThan(1e-5);
      expect(Math.abs(squares[i] - (own ? 0.04 : above ? 0.01 : 0))).toBeLessThan(1e-6);
    }
    for (let level = 1; level < levels.length; level++) {
      const at = levels[level].texelOffset * 8;
      mean(texels, width, height, level).forEach((v, i) => {
        expect(Math.abs(texels[at + i] - v)).toBeLessThan(1e-6);
      });
    }
    const left = await gpu().readInt32(gradients.texels, width * height * 8);
    expect(left.every((g) => g === 0)).toBe(true);
  });
});

describe('adam', () => {
  it(
    'follows the published update with bias correction, from f32 and fixed-point gradients, within its ' + 'range',
    async () => {
      const start = [0.5, -0.2, 0.9];
      const slopes = [1, -0.25, -3];
      const options = { learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
      const expected = start.slice();
      const moments = start.map(() => [0, 0]);
      const scale = 1024;
      const groups = [
        createAdamGroup(gpu(), gpu().upload(Float32Array.from(start)), gpu().upload(Float32Array.from(slopes)), 3, {
          range: [-1, 1],
        }),
        createAdamGroup(
          gpu(),
          gpu().upload(Float32Array.from(start)),
          gpu().upload(Int32Array.from(slopes, (g) => g * scale)),
          3,
          { scale, range: [-1, 1] },
        ),
      ];
      for (let step = 1; step <= 5; step++) {
        gpu().run((batch) => {
          for (const group of groups) recordAdam(batch, group, { ...options, step });
        });
        slopes.forEach((g, i) => {
          moments[i] = [0.9 * moments[i][0] + 0.1 * g, 0.999 * moments[i][1] + 0.001 * g * g];
          const [m, v] = [moments[i][0] / (1 - 0.9 ** step), moments[i][1] / (1 - 0.999 ** step)];
          expected[i] = Math.min(1, expected[i] - (0.05 * m) / (Math.sqrt(v) + 1e-8));
        });
      }
      for (const group of groups) {
        (await gpu().readFloat32(group.parameters, 3)).forEach((v, i) => {
          expect(Math.abs(v - expected[i])).toBeLessThan(1e-5);
        });
      }
    },
  );
});
