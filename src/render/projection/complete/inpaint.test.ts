import { expect, test } from 'vitest';
import { box } from '../../../../test/texturedShapes.js';
import { surfaceGraph } from '../texels/surfaceGraph.js';
import { inpaintNodes, inpaintShaded } from './inpaint.js';

test('a graph covers the same surface with short edges, and charts are joined where they meet', () => {
  const mesh = box([1, 0.5, 2], 1);
  const graph = surfaceGraph(mesh, 0.3, 100_000);
  const { nodeOf, positions, indices } = graph;
  const edges = new Map<string, number>();
  let area = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const p = [0, 1, 2].map((k) => [...positions.subarray(nodeOf[indices[t + k]] * 3, nodeOf[indices[t + k]] * 3 + 3)]);
    const [u, v] = [1, 2].map((k) => p[k].map((x, c) => x - p[0][c]));
    area += Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
    for (let k = 0; k < 3; k++) {
      const [a, b] = [nodeOf[indices[t + k]], nodeOf[indices[t + ((k + 1) % 3)]]];
      const key = a < b ? `${a} ${b}` : `${b} ${a}`;
      edges.set(key, (edges.get(key) ?? 0) + 1);
      expect(Math.hypot(...p[k].map((x, c) => x - p[(k + 1) % 3][c]))).toBeLessThanOrEqual(0.3);
    }
  }
  expect(area).toBeCloseTo(28, 4);
  // Closed without cracks: every edge has two triangles.
  expect([...edges.values()].every((n) => n === 2)).toBe(true);
});

test('unseen nodes run evenly from one seen side to the other, and islands take the mean', async () => {
  // A path of eleven nodes with known ends, and two nodes apart.
  const count = 13;
  const links: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i < 10; i++) {
    links[i].push(i + 1);
    links[i + 1].push(i);
  }
  links[11].push(12);
  links[12].push(11);
  const start = new Uint32Array(count + 1);
  links.forEach((list, i) => {
    start[i + 1] = start[i] + list.length;
  });
  const graph = {
    uvs: new Float32Array(),
    indices: new Uint32Array(),
    nodeOf: new Uint32Array(),
    positions: new Float32Array(count * 3),
    normals: new Float32Array(count * 3),
    start,
    neighbours: Uint32Array.from(links.flat()),
  };
  const colors = new Float32Array(count * 3);
  const seen = new Uint8Array(count);
  seen[0] = 1;
  seen[10] = 1;
  colors.set([0, 0.2, 1], 0);
  colors.set([1, 0.4, 0], 30);
  await inpaintNodes(graph, colors, seen);
  for (let i = 0; i <= 10; i++) {
    expect(colors[i * 3]).toBeCloseTo(i / 10, 2);
    expect(colors[i * 3 + 1]).toBeCloseTo(0.2 + 0.02 * i, 2);
  }
  expect(colors[36]).toBeCloseTo(0.5, 5);
});

test(
  'the unseen inside of a hollow comes out as dark as its openness, while what was seen keeps its ' + 'colour',
  async () => {
    // A path from a seen, open rim (0) down into an unseen hollow.
    const count = 4;
    const neighbours = [1, 0, 2, 1, 3, 2];
    const graph = {
      uvs: new Float32Array(0),
      indices: new Uint32Array(0),
      nodeOf: new Uint32Array(0),
      positions: new Float32Array(count * 3),
      normals: new Float32Array(count * 3),
      start: Uint32Array.from([0, 1, 3, 5, 6]),
      neighbours: Uint32Array.from(neighbours),
    };
    const colors = new Float32Array(count * 3);
    colors.set([0.8, 0.4, 0.2]);
    const openness = Float32Array.from([1, 0.25, 0.04, 0]);
    await inpaintShaded(graph, colors, Uint8Array.from([1, 0, 0, 0]), openness);
    const expected = [1, 0.5, 0.2, 0].flatMap((k) => [0.8 * k, 0.4 * k, 0.2 * k]);
    expected.forEach((v, i) => {
      expect(colors[i]).toBeCloseTo(v, 5);
    });
  },
);
