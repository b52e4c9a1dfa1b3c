import { expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import {
  latticeIndex,
  latticePlaces,
  type ReferenceGrid,
  referenceLoss,
  referenceSurface,
} from '../../../test/isosurfaceReference.js';
import { Random } from '../../core/random.js';
import { topologyOf } from '../mesh/measure/topology.js';
import {
  BRICK_SAMPLES,
  CELL_WEIGHTS,
  createIsoGrid,
  destroyIsoGrid,
  eachSample,
  type IsoGrid,
  setBricks,
} from './brickGrid.js';
import { DUAL_CASES } from './dualTable.js';
import { countIsoSurface, createIsoSurface, type IsoSurface, readIsoCounts, recordExtract } from './extract.js';
import { createIsoGradients, recordExtractBackward } from './extractBackward.js';

const gpu = useGpu();

/** Random signs inside, positive at the border, everything else random too: every ambiguous case occurs. */
function randomGrid(seed: number, share: number, bricks: [number, number, number] = [3, 3, 3]): ReferenceGrid {
  const random = new Random(seed);
  const lattice = { origin: [0.3, -0.2, 0.1] as [number, number, number], voxel: 0.25, bricks };
  const places = latticePlaces(lattice);
  const samples = new Float64Array(places.length * 8);
  const weights = new Float64Array(places.length * CELL_WEIGHTS);
  places.forEach((p, i) => {
    const border = p.some((v, k) => v < 2 || v > bricks[k] * 4 - 3);
    const size = 0.2 + random.float();
    samples[i * 8] = Math.fround(border || random.float() > share ? size : -size);
    for (let k = 1; k < 4; k++) samples[i * 8 + k] = Math.fround(0.6 * random.float() - 0.3);
    for (let k = 4; k < 7; k++) samples[i * 8 + k] = Math.fround(random.float());
  });
  for (let i = 0; i < weights.length; i++) weights[i] = Math.fround(random.float() - 0.5);
  return { ...lattice, samples, weights };
}

function upload(grid: ReferenceGrid): IsoGrid {
  const slots = grid.samples.length / 8 / BRICK_SAMPLES;
  const iso = createIsoGrid(gpu(), grid, slots);
  setBricks(
    gpu(),
    iso,
    Array.from({ length: slots }, (_, i) => i),
  );
  gpu().write(iso.samples, Float32Array.from(grid.samples));
  gpu().write(iso.weights, Float32Array.from(grid.weights));
  return iso;
}

async function extracted(iso: IsoGrid): Promise<IsoSurface> {
  const { vertices, quads } = await countIsoSurface(gpu(), iso);
  const surface = createIsoSurface(gpu(), vertices + 3, quads + 5);
  gpu().run((batch) => recordExtract(batch, iso, surface));
  return surface;
}

async function meshOf(iso: IsoGrid, surface: IsoSurface) {
  const { vertices, quads } = await readIsoCounts(gpu(), iso, surface);
  const words = await gpu().readUint32(surface.triangles, quads * 4 * 24);
  const triangles = Array.from({ length: quads * 4 }, (_, t) => [...words.subarray(t * 24, t * 24 + 3)]);
  const opposite = Array.from({ length: quads * 4 }, (_, t) => [...words.subarray(t * 24 + 4, t * 24 + 7)]);
  const positions = await gpu().readFloat32(surface.positions, (vertices + quads) * 3);
  const colors = await gpu().readFloat32(surface.attributes, (vertices + quads) * 4);
  return { vertices, quads, triangles, opposite, positions, colors };
}

for (const share of [0.15, 0.5, 0.85]) {
  test(`positions, colours and triangles are the reference's where ${share * 100} % is inside`, async () => {
    const grid = randomGrid(7, share);
    const expected = referenceSurface(grid);
    const mesh = await meshOf(...(await withSurface(grid)));
    expect(mesh.vertices).toBe(expected.crossings.length);
    expect(mesh.triangles).toEqual(expected.triangles);
    let worst = 0;
    expected.points.forEach((p, i) => {
      for (let k = 0; k < 3; k++) {
        worst = Math.max(worst, Math.abs(mesh.positions[i * 3 + k] - p[k]));
        worst = Math.max(worst, Math.abs(mesh.colors[i * 4 + k] - p[3 + k]));
      }
    });
    expect(worst).toBeLessThan(2e-5);
  });

  test(`the surface is a closed, oriented manifold where ${share * 100} % is inside, and knows its neighbours`, async () => {
    for (const seed of [1, 2, 3]) {
      const grid = randomGrid(seed, share, [4, 3, 4]);
      const mesh = await meshOf(...(await withSurface(grid)));
      const indices = Uint32Array.from(mesh.triangles.flat());
      const topology = topologyOf(indices, mesh.vertices + mesh.quads);
      expect(indices.length).toBeGreaterThan(3000);
      expect(topology.boundaryEdges).toBe(0);
      expect(topology.nonManifoldEdges).toBe(0);
      expect(topology.nonManifoldVertices).toBe(0);
      expect(topology.inconsistentEdges).toBe(0);
      const far = new Map<string, number>();
      for (const t of mesh.triangles) for (let k = 0; k < 3; k++) far.set(`${t[k]} ${t[(k + 1) % 3]}`, t[(k + 2) % 3]);
      mesh.triangles.forEach((t, i) => {
        for (let k = 0; k < 3; k++) expect(mesh.opposite[i][k]).toBe(far.get(`${t[(k + 1) % 3]} ${t[k]}`));
      });
    }
  });
}

test(
  'without switched cells the same fields would not be manifold: the fields above do test the ambiguous ' + 'cases',
  () => {
    const grid = randomGrid(1, 0.5, [4, 3, 4]);
    const places = latticePlaces(grid);
    let pairs = 0;
    for (const p of places) {
      const config = (q: number[]) => {
        let bits = 0;
        for (let c = 0; c < 8; c++) {
          const i = latticeIndex(grid, q[0] + (c & 1), q[1] + ((c >> 1) & 1), q[2] + (c >> 2));
          if (i < 0) return 0;
          if (grid.samples[i * 8] < 0) bits |= 1 << c;
        }
        return bits;
      };
      for (let axis = 0; axis < 3; axis++) {
        const q = p.slice();
        q[axis]++;
        const mine = DUAL_CASES[config(p) * 2].doubled;
        if (mine === axis * 2 + 1 && DUAL_CASES[config(q) * 2].doubled === axis * 2) pairs++;
      }
    }
    expect(pairs).toBeGreaterThan(0);
  },
);

test('triangles face outwards: a ball has its volume', async () => {
  const grid = ball([6, 6, 6], 8.3);
  const mesh = await meshOf(...(await withSurface(grid)));
  let volume = 0;
  for (const [a, b, c] of mesh.triangles) {
    const p = [a, b, c].map((v) => [0, 1, 2].map((k) => mesh.positions[v * 3 + k]));
    volume +=
      (p[0][0] * (p[1][1] * p[2][2] - p[1][2] * p[2][1]) -
        p[0][1] * (p[1][0] * p[2][2] - p[1][2] * p[2][0]) +
        p[0][2] * (p[1][0] * p[2][1] - p[1][1] * p[2][0])) /
      6;
  }
  const truth = (4 / 3) * Math.PI * (8.3 * grid.voxel) ** 3;
  expect(volume).toBeGreaterThan(0.97 * truth);
  expect(volume).toBeLessThan(truth);
});

test('bricks that are away from the surface may be missing, and slots may change', async () => {
  const grid = ball([6, 6, 6], 8.3);
  const dense = await meshOf(...(await withSurface(grid)));
  const places = latticePlaces(grid);
  const wanted = new Set<number>();
  places.forEach((_, i) => {
    if (Math.abs(grid.samples[i * 8]) < 3) wanted.add(Math.floor(i / BRICK_SAMPLES));
  });
  const list = [...wanted].sort((a, b) => a - b);
  expect(list.length).toBeLessThan(190);
  const iso = createIsoGrid(gpu(), grid, list.length + 4);
  setBricks(gpu(), iso, list.slice(40));
  expect(setBricks(gpu(), iso, list)).toHaveLength(40);
  const data = new Float32Array(iso.slots * BRICK_SAMPLES * 8);
  for (let slot = 0; slot < iso.slots; slot++) {
    eachSample(iso, slot, (index, x, y, z) => {
      const from = latticeIndex(grid, x, y, z) * 8;
      data.set(grid.samples.subarray(from, from + 8), index * 8);
    });
  }
  gpu().write(iso.samples, data);
  const sparse = await meshOf(iso, await extracted(iso));
  const sorted = (m: typeof sparse) =>
    Array.from({ length: m.vertices + m.quads }, (_, i) => [...m.positions.subarray(i * 3, i * 3 + 3)].join()).sort();
  expect(sorted(sparse)).toEqual(sorted(dense));
  expect(topologyOf(Uint32Array.from(sparse.triangles.flat()), sparse.vertices + sparse.quads).boundaryEdges).toBe(0);
  destroyIsoGrid(iso);
});

test('more bricks than a binding holds are refused', () => {
  const grid = ball([3, 3, 3], 3.2);
  expect(() => createIsoGrid(gpu(), grid, 1e7)).toThrow(expect.objectContaining({ code: 'GPU_LIMIT_TOO_LOW' }));
});

test('what there is no room for is left out, and the counts tell', async () => {
  const iso = upload(ball([3, 3, 3], 3.2));
  const { vertices, quads } = await countIsoSurface(gpu(), iso);
  const surface = createIsoSurface(gpu(), 20, 10);
  gpu().run((batch) => recordExtract(batch, iso, surface));
  expect(await readIsoCounts(gpu(), iso, surface)).toEqual({ vertices, quads });
  const words = await gpu().readUint32(surface.triangles, surface.triangleCapacity * 24);
  for (let t = 0; t < surface.triangleCapacity; t++) {
    for (let k = 0; k < 3; k++) expect(words[t * 24 + k]).toBeLessThan(vertices + quads);
  }
});

for (const [name, share] of [
  ['sparse', 0.15],
  ['half full', 0.5],
] as const) {
  test(`gradients are those of float64 central differences on ${name} random fields`, async () => {
    const grid = randomGrid(11, share, [2, 2, 2]);
    const frozen = referenceSurface(grid);
    const random = new Random(3);
    const g = new Float64Array(frozen.points.length * 8);
    for (let i = 0; i < g.length; i++) g[i] = i % 8 === 7 ? 0 : Math.fround(random.normal());
    const regularisers = { deviation: 0.7, signChange: 0.4 };
    const iso = upload(grid);
    const surface = await extracted(iso);
    const gradients = createIsoGradients(gpu(), iso, surface.vertexCapacity);
    const padded = new Float32Array(surface.positionCapacity * 8);
    padded.set(g);
    const gradient = gpu().upload(padded);
    gpu().run((batch) => recordExtractBackward(batch, iso, surface, gradient, gradients, regularisers));
    const samples = await gpu().readFloat32(gradients.samples, grid.samples.length);
    const weights = await gpu().readFloat32(gradients.weights, surface.vertexCapacity * CELL_WEIGHTS);
    const offsets = await gpu().readUint32(iso.offsets, grid.samples.length / 8);

    const difference = (array: Float64Array, i: number, h: number) => {
      const kept = array[i];
      array[i] = kept + h;
      const more = referenceLoss(grid, g, frozen, regularisers);
      array[i] = kept - h;
      const less = referenceLoss(grid, g, frozen, regularisers);
      array[i] = kept;
      return (more - less) / (2 * h);
    };
    let checked = 0;
    const touched = new Set(frozen.crossings.flatMap((list) => list.flatMap(({ a, b }) => [a, b])));
    for (const i of touched) {
      for (let k = 0; k < 7; k++) {
        if (random.float() > 0.2) continue;
        const expected = difference(grid.samples, i * 8 + k, 1e-6);
        expect(Math.abs(samples[i * 8 + k] - expected)).toBeLessThan(2e-3 * (1 + Math.abs(expected)));
        checked++;
      }
      expect(samples[i * 8 + 7]).toBeGreaterThan(0);
    }
    const cells = offsets.length;
    for (let cell = 0; cell < cells; cell++) {
      const next = cell + 1 < cells ? offsets[cell + 1] : frozen.crossings.length;
      if (next === offsets[cell]) continue;
      for (let k = 0; k < CELL_WEIGHTS; k++) {
        if (random.float() > 0.1) continue;
        const expected = difference(grid.weights, cell * CELL_WEIGHTS + k, 1e-6);
        const found = weights[offsets[cell] * CELL_WEIGHTS + k];
        expect(Math.abs(found - expected)).toBeLessThan(2e-3 * (1 + Math.abs(expected)));
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(150);
  });
}

async function withSurface(grid: ReferenceGrid): Promise<[IsoGrid, IsoSurface]> {
  const iso = upload(grid);
  return [iso, await extracted(iso)];
}

function ball(bricks: [number, number, number], radius: number): ReferenceGrid {
  const grid = randomGrid(1, 0, bricks);
  latticePlaces(grid).forEach((p, i) => {
    const d = Math.hypot(...p.map((v, k) => v - bricks[k] * 2 + 0.2)) - radius;
    grid.samples.set([d, 0, 0, 0, 0.5, 0.5, 0.5, 0].map(Math.fround), i * 8);
  });
  grid.weights.fill(0);
  return grid;
}
