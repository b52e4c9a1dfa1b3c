import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { Random } from '../../../core/random.js';
import { cubeDirection } from '../../forward/environmentLight.js';
import { cubeTexel } from '../light/lightFilter.js';
import { recordTextureCube, recordTextureCubeBackward } from '../light/textureCube.js';
import { pyramidLayout } from './material.js';
import {
  type DiffTexture,
  recordTexture,
  recordTextureBackward,
  recordTextureMips,
  recordTextureMipsBackward,
} from './texture.js';

const gpu = useGpu();
const SCALE = 2 ** 20;
const STEP = 1e-6;

/** Central difference of f along element i of a list. */
function difference(f: () => number, list: Float64Array, i: number): number {
  const kept = list[i];
  list[i] = kept + STEP;
  const high = f();
  list[i] = kept - STEP;
  const low = f();
  list[i] = kept;
  return (high - low) / (2 * STEP);
}

function wrapped(x: number, size: number, wrap: string): number {
  if (wrap === 'repeat') return ((x % size) + size) % size;
  if (wrap === 'clamp') return Math.min(size - 1, Math.max(0, x));
  const period = ((x % (2 * size)) + 2 * size) % (2 * size);
  return Math.min(period, 2 * size - 1 - period);
}

/** Float64 pyramid from level 0. */
function pyramid(base: Float64Array, width: number, height: number, channels: number): Float64Array {
  const { levels, texelCount } = pyramidLayout(width, height);
  const out = new Float64Array(texelCount * channels);
  out.set(base);
  for (let l = 1; l < levels.length; l++) {
    const [from, to] = [levels[l - 1], levels[l]];
    for (let i = 0; i < to.width * to.height * channels; i++) {
      const [c, x, y] = [i % channels, Math.floor(i / channels) % to.width, Math.floor(i / channels / to.width)];
      for (let k = 0; k < 4; k++) {
        const sx = Math.min(from.width - 1, x * 2 + (k & 1));
        const sy = Math.min(from.height - 1, y * 2 + (k >> 1));
        out[to.texelOffset * channels + i] += out[(from.texelOffset + sy * from.width + sx) * channels + c] / 4;
      }
    }
  }
  return out;
}

const CASES = [
  { width: 16, height: 8, channels: 3, wrap: 'repeat', levels: undefined },
  { width: 8, height: 8, channels: 1, wrap: 'clamp', levels: 1 },
  { width: 4, height: 32, channels: 4, wrap: 'mirror', levels: undefined },
  { width: 1, height: 1, channels: 2, wrap: 'repeat', levels: undefined },
] as const;

describe('texture', () => {
  it.each(CASES)('of $width × $height, $wrap, and its gradients agree with float64', async (shape) => {
    const { width, height, channels, wrap } = shape;
    const random = new Random(width + channels);
    const layout = pyramidLayout(width, height);
    const count = 64;
    const base = Float64Array.from({ length: width * height * channels }, () => Math.fround(random.float()));
    const uv = Float64Array.from({ length: count * 2 }, () => Math.fround(random.float() * 4 - 1.5));
    // Steps from far below a texel to beyond the whole texture; the first are exactly zero.
    const uvDb = Float64Array.from({ length: count * 4 }, (_, i) =>
      i < 16 ? 0 : Math.fround((random.float() - 0.5) * 2 ** (-6 + random.float() * 7)),
    );
    const weights = Float32Array.from({ length: count * channels }, () => random.float() * 2 - 1);
    const last = (shape.levels ?? layout.levels.length) - 1;
    const reference = (): Float64Array => {
      const all = pyramid(base, width, height, channels);
      return Float64Array.from({ length: count * channels }, (_, at) => {
        const [i, c] = [Math.floor(at / channels), at % channels];
        const d = uvDb.subarray(i * 4, i * 4 + 4);
        const longer = Math.max(Math.hypot(d[0] * width, d[2] * height), Math.hypot(d[1] * width, d[3] * height));
        const lod = Math.min(last, Math.max(0, Math.log2(Math.max(longer, 1e-6))));
        const level = (l: number): number => {
          const { width: w, height: h, texelOffset } = layout.levels[l];
          const [x, y] = [uv[i * 2] * w - 0.5, uv[i * 2 + 1] * h - 0.5];
          let sum = 0;
          for (let k = 0; k < 4; k++) {
            const [dx, dy] = [k & 1, k >> 1];
            const tx = wrapped(Math.floor(x) + dx, w, wrap);
            const ty = wrapped(Math.floor(y) + dy, h, wrap);
            const weight = Math.abs(1 - dx - (x - Math.floor(x))) * Math.abs(1 - dy - (y - Math.floor(y)));
            sum += weight * all[(texelOffset + ty * w + tx) * channels + c];
          }
          return sum;
        };
        const fine = Math.floor(lod);
        return level(fine) + (lod - fine) * (level(Math.min(last, fine + 1)) - level(fine));
      });
    };
    const texels = new Float32Array(layout.texelCount * channels);
    texels.set(base);
    const texture: DiffTexture = { ...shape, texels: gpu().upload(texels) };
    const coordinates = {
      uv: gpu().upload(Float32Array.from(uv)),
      uvDb: gpu().upload(Float32Array.from(uvDb)),
      count,
    };
    const values = gpu().createBuffer(count * channels * 4);
    const out = {
      texels: gpu().createBuffer(texels.byteLength),
      scale: SCALE,
      uv: gpu().createBuffer(count * 8),
      uvDb: gpu().createBuffer(count * 16),
    };
    const baseGradient = gpu().createBuffer(base.length * 4);
    const valueGradient = gpu().upload(weights);
    gpu().run((batch) => {
      recordTextureMips(batch, texture);
      recordTexture(batch, texture, coordinates, values);
      recordTextureBackward(batch, texture, coordinates, valueGradient, out);
      recordTextureMipsBackward(batch, texture, out, baseGradient);
    });
    const got = await gpu().readFloat32(values, count * channels);
    reference().forEach((v, i) => {
      expect(Math.abs(v - got[i])).toBeLessThan(2e-5);
    });
    const loss = () => reference().reduce((sum, v, i) => sum + v * weights[i], 0);
    const check = async (buffer: GPUBuffer, list: Float64Array, tolerance: number) => {
      const gradient = await gpu().readFloat32(buffer, list.length);
      for (let i = 0; i < list.length; i += Math.ceil(list.length / 96)) {
        const wanted = difference(loss, list, i);
        expect(Math.abs(gradient[i] - wanted), `element ${i}: ${gradient[i]}, ${wanted}`).toBeLessThan(
          tolerance * (1 + Math.abs(wanted)),
        );
      }
    };
    await check(baseGradient, base, 1e-3);
    await check(out.uv, uv, 2e-3);
    await check(out.uvDb, uvDb, 5e-3);
  });
});

describe('cube texture', () => {
  it('is seamless, and its gradients agree with float64 on faces, edges and near corners', async () => {
    const random = new Random(9);
    const [size, channels] = [4, 3];
    const texels = Float64Array.from({ length: 6 * size * size * channels }, () => Math.fround(random.float()));
    const edges = [
      [1, 0.99, 0.1],
      [-1, 0.2, 0.97],
      [0.3, -1, -0.95],
      [0.96, 0.97, 1],
      [0, 0, -2],
      [0, 3, 0],
      [0.1, -1, 0.9],
    ];
    const directions = Float64Array.from(
      [...edges, ...Array.from({ length: 57 }, () => [0, 1, 2].map(() => random.float() * 2 - 1))].flat(),
      Math.fround,
    );
    const count = directions.length / 3;
    const weights = Float32Array.from({ length: count * channels }, () => random.float() * 2 - 1);
    const value = (i: number, c: number): number => {
      const d = [...directions.subarray(i * 3, i * 3 + 3)];
      const { face } = cubeTexel(d, size);
      const major = Math.max(...d.map(Math.abs));
      const s = [-d[2], d[2], d[0], d[0], d[0], -d[0]][face] / major;
      const t = [-d[1], -d[1], d[2], -d[2], -d[1], -d[1]][face] / major;
      const [x, y] = [((s + 1) / 2) * size - 0.5, ((t + 1) / 2) * size - 0.5];
      let sum = 0;
      for (let k = 0; k < 4; k++) {
        const [dx, dy] = [k & 1, k >> 1];
        // Beyond the rim, the direction through the middle of the missing texel finds the neighbour.
        const texel = cubeTexel(cubeDirection(face, Math.floor(x) + dx, Math.floor(y) + dy, size), size);
        const weight = Math.abs(1 - dx - (x - Math.floor(x))) * Math.abs(1 - dy - (y - Math.floor(y)));
        sum += weight * texels[((texel.face * size + texel.y) * size + texel.x) * channels + c];
      }
      return sum;
    };
    const loss = () => weights.reduce((sum, w, i) => sum + w * value(Math.floor(i / channels), i % channels), 0);
    const texture = { texels: gpu().upload(Float32Array.from(texels)), size, channels };
    const directionBuffer = gpu().upload(Float32Array.from(directions));
    const values = gpu().createBuffer(count * channels * 4);
    const out = {
      texels: gpu().createBuffer(texels.length * 4),
      scale: SCALE,
      directions: gpu().createBuffer(count * 12),
    };
    const valueGradient = gpu().upload(weights);
    gpu().run((batch) => {
      recordTextureCube(batch, texture, directionBuffer, count, values);
      recordTextureCubeBackward(batch, texture, directionBuffer, count, valueGradient, out);
    });
    const got = await gpu().readFloat32(values, count * channels);
    got.forEach((v, i) => {
      expect(Math.abs(v - value(Math.floor(i / channels), i % channels))).toBeLessThan(1e-5);
    });
    const texelGradient = await gpu().readInt32(out.texels, texels.length);
    texelGradient.forEach((g, i) => {
      expect(Math.abs(g / SCALE - difference(loss, texels, i))).toBeLessThan(1e-4);
    });
    const directionGradient = await gpu().readFloat32(out.directions, directions.length);
    directionGradient.forEach((g, i) => {
      // On the diagonal between faces the function has a kink; the poles' middles are regular.
      const wanted = difference(loss, directions, i);
      expect(Math.abs(g - wanted), `${i}`).toBeLessThan(1e-3 * (1 + Math.abs(wanted)));
    });
  });
});
