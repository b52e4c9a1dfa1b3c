import { expect, it } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import type { Camera } from '../../../core/camera.js';
import { lookAt, type Vec3 } from '../../../core/math.js';
import { Random } from '../../../core/random.js';
import { createFrame } from '../frame.js';
import { createDiffCameras, packCameras } from '../geometry/cameras.js';
import { recordGeometry } from '../geometry/geometry.js';
import { recordGeometryBackward } from '../geometry/geometryBackward.js';
import { createDiffMesh } from '../geometry/mesh.js';
import { recordNormals } from '../geometry/normals.js';
import { createGradients, recordClearGradients } from '../gradients.js';
import { createEmptyMaterial } from '../shade/material.js';
import { recordDepthLoss } from './depthLoss.js';
import { createTargets, readLoss, recordLoss } from './loss.js';

const gpu = useGpu();
const random = new Random(4, 0);
const SIZE = 24;
const UNIT = 0.05;
const REACH = 6;
const WEIGHT = 0.7;

const camera = (eye: Vec3): Camera => ({
  cameraToWorld: lookAt(eye, [0, 0, 0]),
  width: SIZE,
  height: SIZE,
  fx: SIZE * 1.3,
  fy: SIZE * 1.3,
  cx: SIZE * 0.5,
  cy: SIZE * 0.45,
});

it('depth and its gradient agree with float64, errors on another surface and missing depth left out', async () => {
  const cameras = [camera([2.2, 0.9, 1.7]), camera([-1.2, 2.1, 1.8])];
  const ball = sphere(1);
  const positions = ball.positions.map((v) => v * (0.85 + 0.3 * random.float()));
  const scene = {
    mesh: createDiffMesh(gpu(), { ...ball, positions }),
    cameras: createDiffCameras(gpu(), cameras, [0, 0, 0], 2),
    material: createEmptyMaterial(gpu(), 8, 8),
  };
  const { positionCount, triangleCount } = scene.mesh;
  const frame = createFrame(gpu(), { width: SIZE, height: SIZE, capacity: 2, positionCount, triangleCount });
  frame.views = [1, 0];
  const gradients = createGradients(gpu(), scene, 2, { clip: 2 ** 16 });
  const blank = { width: SIZE, height: SIZE, data: new Uint8Array(SIZE * SIZE * 4) };
  const images = createTargets(gpu(), [blank, blank]);
  gpu().run((batch) => {
    recordNormals(batch, scene.mesh);
    recordGeometry(batch, scene, frame);
  });
  const ids = await gpu().readUint32(frame.ids, SIZE * SIZE * 2);
  const triangles = await gpu().readUint32(scene.mesh.triangles, triangleCount * 24);
  const places = Float64Array.from(await gpu().readFloat32(scene.mesh.positions, positionCount * 3));
  const packed = Float64Array.from(packCameras(cameras, [0, 0, 0], 2));

  /** Depth of pixel i in float64: the ray through its centre met with the triangle's plane, along the viewing axis. */
  const depthAt = (i: number, at: Float64Array): number => {
    const view = frame.views[Math.floor(i / (SIZE * SIZE))];
    const [x, y] = [i % SIZE, Math.floor(i / SIZE) % SIZE];
    const ndc = [((x + 0.5) * 2) / SIZE - 1, 1 - ((y + 0.5) * 2) / SIZE];
    const record = packed.subarray(view * 32, view * 32 + 32);
    const eye = record.subarray(16, 19);
    const ray = [0, 1, 2].map((c) => record[20 + c] + ndc[0] * record[24 + c] + ndc[1] * record[28 + c]);
    const [a, b, c] = [0, 1, 2].map((k) => {
      const p = triangles[(ids[i] - 1) * 24 + k] * 3;
      return [at[p], at[p + 1], at[p + 2]];
    });
    const u = b.map((v, k) => v - a[k]);
    const v = c.map((w, k) => w - a[k]);
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const dot = (p: ArrayLike<number>, q: ArrayLike<number>) => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
    // The ray's length along the viewing axis is 1.
    return (dot(n, a) - dot(n, eye)) / dot(n, ray);
  };
  const wanted = new Float32Array(SIZE * SIZE * 2);
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === 0) continue;
    const view = frame.views[Math.floor(i / (SIZE * SIZE))];
    const off = i % 7 === 0 ? 1 : (random.float() - 0.5) * 0.3;
    wanted[view * SIZE * SIZE + (i % (SIZE * SIZE))] = i % 11 === 0 ? 0 : depthAt(i, places) + off;
  }
  const targets = { buffer: gpu().upload(wanted, 'depth'), width: SIZE, height: SIZE };
  const loss = (at: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < ids.length; i++) {
      const view = frame.views[Math.floor(i / (SIZE * SIZE))];
      const target = wanted[view * SIZE * SIZE + (i % (SIZE * SIZE))];
      if (ids[i] === 0 || target === 0) continue;
      const x = (depthAt(i, at) - target) / UNIT;
      if (Math.abs(x) <= REACH) sum += WEIGHT * (Math.sqrt(1 + x * x) - 1);
    }
    return sum;
  };
  gpu().run((batch) => {
    recordClearGradients(batch, scene, gradients, true);
    recordLoss(batch, frame, images);
    recordDepthLoss(batch, scene.mesh, frame, targets, gradients, { weight: WEIGHT, unit: UNIT, reach: REACH });
    recordGeometryBackward(batch, scene, frame, gradients);
  });
  const sums = await readLoss(gpu(), frame);
  expect(sums[0].depth + sums[1].depth).toBeCloseTo(loss(places), 1);
  const gradient = await gpu().readFloat32(gradients.positions, positionCount * 3);
  expect(gradient.filter((g) => Math.abs(g) > 0.1).length).toBeGreaterThan(30);
  let largest = 0;
  for (let i = 0; i < gradient.length; i++) {
    const moved = (h: number) => {
      const at = Float64Array.from(places);
      at[i] += h;
      return loss(at);
    };
    const difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
    largest = Math.max(largest, Math.abs(difference));
    expect(Math.abs(gradient[i] - difference), `number ${i}`).toBeLessThan(0.02 + 2e-3 * Math.abs(difference));
  }
  expect(largest).toBeGreaterThan(5);
});
