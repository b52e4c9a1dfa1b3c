import { expect, test } from 'vitest';
import {
  type ReferenceScene,
  referenceBarycentric,
  referenceCenter,
  referenceClip,
} from '../../../../test/diffReference.js';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import { cameraAt } from '../../../../test/solids.js';
import { Random } from '../../../core/random.js';
import { createFrame } from '../frame.js';
import { createDiffCameras, packCameras } from '../geometry/cameras.js';
import { recordGeometry } from '../geometry/geometry.js';
import { createDiffMesh, packMesh } from '../geometry/mesh.js';
import { recordNormals } from '../geometry/normals.js';
import {
  createVertexColorGradients,
  recordClearVertexColorGradients,
  recordVertexColor,
  recordVertexColorBackward,
} from './vertexColor.js';

const gpu = useGpu();
const SIZE = 24;
const CAMERAS = [cameraAt([2.2, 1.4, 2], SIZE), cameraAt([-1, -2.5, 1.6], SIZE)];

/** Σ g · colour over all pixels, at the triangles that `ids` names. */
function referenceLoss(scene: ReferenceScene, colors: Float64Array, g: Float64Array): number {
  let loss = 0;
  for (let n = 0; n < scene.views; n++) {
    const clip = referenceClip(scene, n);
    for (let i = 0; i < SIZE * SIZE; i++) {
      const pixel = n * SIZE * SIZE + i;
      if (scene.ids[pixel] === 0) continue;
      const corners = [...scene.triangles.subarray((scene.ids[pixel] - 1) * 24, (scene.ids[pixel] - 1) * 24 + 3)];
      const { b } = referenceBarycentric(
        referenceCenter(i % SIZE, Math.floor(i / SIZE), SIZE, SIZE),
        corners.map((c) => clip[c]),
      );
      corners.forEach((c, k) => {
        for (let ch = 0; ch < 3; ch++) loss += g[pixel * 4 + ch] * b[k] * colors[c * 4 + ch];
      });
    }
  }
  return loss;
}

test('the picture and the gradients of positions, colours and coverage are those of a float64 reference', async () => {
  const ball = sphere(1);
  const mesh = createDiffMesh(gpu(), ball);
  const { positionCount, triangleCount } = mesh;
  const cameras = createDiffCameras(gpu(), CAMERAS, [0, 0, 0], 1.2);
  const frame = createFrame(gpu(), { width: SIZE, height: SIZE, capacity: 2, positionCount, triangleCount });
  const random = new Random(4);
  const colors = Float32Array.from({ length: positionCount * 4 }, () => random.float());
  const g = Float32Array.from({ length: SIZE * SIZE * 8 }, () => random.normal());
  const colorBuffer = gpu().upload(colors);
  const gradients = createVertexColorGradients(gpu(), positionCount, 2);
  frame.views = [0, 1];
  gpu().write(frame.colorGradient, g);
  gpu().run((batch) => {
    recordNormals(batch, mesh);
    recordGeometry(batch, { mesh, cameras }, frame);
    recordVertexColor(batch, mesh, colorBuffer, frame);
    recordClearVertexColorGradients(batch, gradients);
    recordVertexColorBackward(batch, mesh, cameras, colorBuffer, frame, gradients, {
      factor: 0.25,
      least: 0.5,
    });
  });
  const packed = packMesh(ball);
  const scene: ReferenceScene = {
    width: SIZE,
    height: SIZE,
    cameras: Float64Array.from(packCameras(CAMERAS, [0, 0, 0], 1.2)),
    views: 2,
    positions: Float64Array.from(packed.positions),
    triangles: packed.triangles,
    texWidth: 1,
    texHeight: 1,
    levelOffsets: [],
    texels: new Float64Array(8),
    ids: await gpu().readUint32(frame.ids, SIZE * SIZE * 2),
  };
  const wide = Float64Array.from(colors);
  const wideG = Float64Array.from(g);
  const picture = await gpu().readFloat32(frame.color, SIZE * SIZE * 8);
  expect(picture.filter((_, i) => i % 4 === 3).every((a, i) => a === (scene.ids[i] ? 1 : 0))).toBe(true);
  const shown = picture.reduce((sum, v, i) => sum + (i % 4 < 3 ? v * g[i] : 0), 0);
  expect(shown).toBeCloseTo(referenceLoss(scene, wide, wideG), 2);
  expect(scene.ids.filter((id) => id > 0).length).toBeGreaterThan(200);

  const found = await gpu().readFloat32(gradients.gradient, positionCount * 8);
  const difference = (array: Float64Array, i: number, h: number) => {
    const kept = array[i];
    array[i] = kept + h;
    const more = referenceLoss(scene, wide, wideG);
    array[i] = kept - h;
    const less = referenceLoss(scene, wide, wideG);
    array[i] = kept;
    return (more - less) / (2 * h);
  };
  for (let p = 0; p < positionCount; p++) {
    for (let k = 0; k < 3; k++) {
      const byPosition = difference(scene.positions, p * 3 + k, 1e-5);
      expect(Math.abs(found[p * 8 + k] - byPosition)).toBeLessThan(0.01 + 0.005 * Math.abs(byPosition));
      expect(found[p * 8 + 4 + k]).toBeCloseTo(difference(wide, p * 4 + k, 1e-3), 3);
    }
  }
  // What speaks for less coverage presses the surface in, with the weights of the corners.
  const pressure = found.reduce((sum, v, i) => sum + (i % 8 === 3 ? v : 0), 0);
  const coverage = g.reduce((sum, v, i) => sum + (i % 4 === 3 && scene.ids[i >> 2] && v >= 0.5 ? v : 0), 0);
  expect(pressure).toBeCloseTo(-0.25 * coverage, 2);
});
