import { expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import type { Vec3 } from '../../core/math.js';
import { Random } from '../../core/random.js';
import { minimiseArea, ROUNDS } from './leastArea.js';

const gpu = useGpu();
const HUBER = 0.5;
const [PRIMAL, DUAL] = [0.4, 0.2];

/** The same in plain TypeScript, of 64-bit floats. */
function plain([w, h, d]: Vec3, data: Float32Array): Float64Array {
  const count = w * h * d;
  const steps = [1, w, w * h];
  const u = Float64Array.from({ length: count }, (_, i) => data[i * 2]);
  const ahead = u.slice();
  const dual = steps.map(() => new Float64Array(count));
  const at = (i: number): number[] => [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h))];
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < count; i++) {
      const q = steps.map((step, k) => {
        const slope = at(i)[k] + 1 < [w, h, d][k] ? ahead[i + step] - ahead[i] : 0;
        return (dual[k][i] + DUAL * slope) / (1 + DUAL * HUBER);
      });
      const size = Math.max(1, Math.hypot(...q));
      q.forEach((v, k) => {
        dual[k][i] = v / size;
      });
    }
    for (let i = 0; i < count; i++) {
      const divergence = steps.reduce((s, step, k) => s + dual[k][i] - (at(i)[k] > 0 ? dual[k][i - step] : 0), 0);
      const off = u[i] + PRIMAL * divergence - data[i * 2];
      const most = PRIMAL * data[i * 2 + 1];
      const next = Math.max(-1, Math.min(1, data[i * 2] + off - Math.max(-most, Math.min(most, off))));
      ahead[i] = 2 * next - u[i];
      u[i] = next;
    }
  }
  return u;
}

async function solved(size: Vec3, data: Float32Array<ArrayBuffer>): Promise<Float64Array> {
  const count = data.length / 2;
  const bricks: number[] = [];
  for (let z = 0; z < size[2] / 8; z++)
    for (let y = 0; y < size[1] / 8; y++) for (let x = 0; x < size[0] / 8; x++) bricks.push(x | (y << 10) | (z << 20));
  const buffers = {
    data: gpu().upload(data, 'data'),
    state: gpu().upload(
      Float32Array.from(data, (_, i) => data[i - (i % 2)]),
      'state',
    ),
    dual: gpu().createBuffer(count * 16, 'dual'),
  };
  try {
    await minimiseArea(gpu(), { size, bricks: Uint32Array.from(bricks), ...buffers });
    const both = await gpu().readFloat32(buffers.state, count * 2);
    return Float64Array.from({ length: count }, (_, i) => both[i * 2]);
  } finally {
    for (const buffer of Object.values(buffers)) buffer.destroy();
  }
}

it('is what plain loops give, over several bricks of unequal sides', async () => {
  const size: Vec3 = [16, 8, 24];
  const random = new Random(3);
  const data = new Float32Array(size[0] * size[1] * size[2] * 2);
  for (let i = 0; i < data.length; i += 2) data.set([2 * random.float() - 1, random.float() < 0.5 ? 0.02 : 2], i);
  const [fast, slow] = [await solved(size, data), plain(size, data)];
  let worst = 0;
  slow.forEach((v, i) => {
    worst = Math.max(worst, Math.abs(v - fast[i]));
  });
  expect(worst).toBeLessThan(2e-3);
});

it('keeps what was seen, closes what was not by the smallest surface, and fills what a single ray bored', async () => {
  const side = 24;
  const data = new Float32Array(side ** 3 * 2);
  const set = (x: number, y: number, z: number, value: number, weight: number): void =>
    data.set([value, weight], ((z * side + y) * side + x) * 2);
  // Solid below half height and free above, both seen; a bore that one ray left, and a pillar that no ray saw.
  for (let z = 0; z < side; z++)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const free = y >= 12;
        const pillar = free && y < 20 && Math.hypot(x - 17, z - 17) < 3;
        const bore = !free && x === 5 && z === 5;
        set(x, y, z, bore || (free && !pillar) ? 1 : -1, pillar ? 0.02 : bore ? 0.6 : 2);
      }
  const u = await solved([side, side, side], data);
  const at = (x: number, y: number, z: number): number => u[(z * side + y) * side + x];
  expect(at(5, 4, 5)).toBeLessThan(-0.5);
  expect(at(17, 17, 17)).toBeGreaterThan(0.5);
  expect(at(12, 13, 4)).toBeGreaterThan(0.5);
  expect(at(12, 10, 4)).toBeLessThan(-0.5);
});
