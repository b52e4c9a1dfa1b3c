import { expect, test } from 'vitest';
import { Random } from '../../../core/random.js';
import type { SurfaceGraph } from '../texels/surfaceGraph.js';
import { sharedDetail } from './sharedDetail.js';

const SIDE = 64;

/** A square grid of nodes, each joined to its four neighbours; nothing joins columns `cut − 1` and `cut`. */
function grid(cut = 0): SurfaceGraph {
  const links: number[][] = [];
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    links.push([]);
    if (x > 0 && x !== cut) links[i].push(i - 1);
    if (x < SIDE - 1 && x + 1 !== cut) links[i].push(i + 1);
    if (y > 0) links[i].push(i - SIDE);
    if (y < SIDE - 1) links[i].push(i + SIDE);
  }
  const start = new Uint32Array(links.length + 1);
  links.forEach((list, i) => {
    start[i + 1] = start[i] + list.length;
  });
  const empty = new Float32Array(0);
  return {
    uvs: empty,
    indices: new Uint32Array(0),
    nodeOf: new Uint32Array(0),
    positions: empty,
    normals: empty,
    start,
    neighbours: Uint32Array.from(links.flat()),
  };
}

/** What each view shows of each node; `undefined` where it does not see it. */
function samplesOf(views: number, see: (view: number, x: number, y: number) => number | undefined): Float32Array {
  const out = new Float32Array(SIDE * SIDE * views * 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let v = 0; v < views; v++) {
      const value = see(v, i % SIDE, Math.floor(i / SIDE));
      if (value !== undefined) out.set([value, value, value, 1], (i * views + v) * 4);
    }
  }
  return out;
}

const stripes = (x: number) => (Math.floor(x / 4) % 2 ? 0.7 : 0.3);
/** A picture of the surroundings that lies elsewhere in every view. */
const reflection = (view: number, x: number, y: number) =>
  0.5 + 0.25 * Math.sin(x * 0.7 + view * 2.1) * Math.cos(y * 0.6 + view * 1.3);
const middle = Math.floor(SIDE / 2) * SIDE;

test('a pattern is trusted, also under noise and where views are not equally bright', async () => {
  const random = new Random(1);
  const samples = samplesOf(3, (v, x) => stripes(x) * (1 + 0.1 * v) + 0.03 * (random.float() - 0.5));
  const { trust } = await sharedDetail(grid(), samples, 3);
  expect(Math.min(...trust)).toBeGreaterThan(0.99);
});

test('a highlight that one view sees leaves the pattern below it trusted', async () => {
  const samples = samplesOf(2, (v, x, y) =>
    Math.min(1, stripes(x) + (v === 0 ? 0.8 * Math.exp(-((x - 32) ** 2 + (y - 32) ** 2) / 30) : 0)),
  );
  const { trust } = await sharedDetail(grid(), samples, 2);
  expect(trust[middle + 32]).toBeGreaterThan(0.9);
});

test('a mirror is not trusted, whose mean is near what all views show together', async () => {
  const { trust, means } = await sharedDetail(grid(), samplesOf(3, reflection), 3);
  expect(Math.max(...trust)).toBeLessThan(0.45);
  for (let i = 0; i < SIDE; i++) expect(means[(middle + i) * 3]).toBeCloseTo(0.5, 1);
});

test('parts are judged each for itself, and what one view sees as its surroundings', async () => {
  const cut = SIDE / 2;
  const samples = samplesOf(2, (v, x, y) => {
    if (v === 1 && y > 40) return undefined;
    return x < cut ? stripes(x) : reflection(v, x, y);
  });
  const { trust } = await sharedDetail(grid(cut), samples, 2);
  expect(trust[50 * SIDE + 10]).toBeGreaterThan(0.99);
  expect(trust[50 * SIDE + cut + 10]).toBeLessThan(0.45);
});

test('where nothing can be compared, and where there is no detail, pictures are trusted', async () => {
  const lone = await sharedDetail(grid(), samplesOf(1, reflection), 1);
  expect(Math.min(...lone.trust)).toBe(1);
  const flat = await sharedDetail(
    grid(),
    samplesOf(2, () => 0.4),
    2,
  );
  expect(Math.min(...flat.trust)).toBe(1);
  expect(flat.means[0]).toBeCloseTo(0.4, 5);
});
