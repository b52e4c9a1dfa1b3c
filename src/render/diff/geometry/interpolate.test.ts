import { describe, expect, it } from 'vitest';
import { referenceBarycentric, referenceCenter } from '../../../../test/diffReference.js';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import { lookAt, type Vec3 } from '../../../core/math.js';
import { Random } from '../../../core/random.js';
import { createFrame, verticesOffset } from '../frame.js';
import { createGradients } from '../gradients.js';
import { createEmptyMaterial } from '../shade/material.js';
import { createDiffCameras } from './cameras.js';
import { recordGeometry } from './geometry.js';
import { recordInterpolate, recordInterpolateBackward } from './interpolate.js';
import { createDiffMesh } from './mesh.js';
import { recordNormals } from './normals.js';
import { createRasterized, recordRasterize, recordRasterizeBackward } from './rasterize.js';

const gpu = useGpu();
const CHANNELS = 3;
const [width, height] = [20, 14];

async function setUp() {
  const random = new Random(3);
  const eyes: Vec3[] = [
    [1, 0.6, 1.5],
    [-2, 1, 0.4],
  ];
  const mesh = createDiffMesh(gpu(), sphere(1));
  const cameras = createDiffCameras(
    gpu(),
    eyes.map((eye) => ({
      cameraToWorld: lookAt(eye, [0, 0, 0]),
      width,
      height,
      fx: 15,
      fy: 15,
      cx: 10,
      cy: 7,
    })),
    [0, 0, 0],
    1.5,
  );
  const { positionCount, triangleCount } = mesh;
  const frame = createFrame(gpu(), { width, height, capacity: 2, positionCount, triangleCount });
  frame.views = [0, 1];
  const pixels = width * height * 2;
  const values = Float32Array.from({ length: positionCount * CHANNELS }, () => random.float() * 2 - 1);
  const corners = sphere(1).indices;
  const attributes = { values: gpu().upload(values), corners: gpu().upload(corners), channels: CHANNELS };
  const weights = Float32Array.from({ length: pixels * CHANNELS }, () => random.float() * 2 - 1);
  const rasterized = createRasterized(gpu(), frame);
  const out = {
    values: gpu().createBuffer(pixels * CHANNELS * 4),
    valuesDb: gpu().createBuffer(pixels * CHANNELS * 8),
  };
  const scale = 2 ** 20;
  const attributeGradient = gpu().createBuffer(values.byteLength);
  const rastGradient = gpu().createBuffer(pixels * 16);
  const gradients = createGradients(
    gpu(),
    { mesh, cameras, material: createEmptyMaterial(gpu(), 8, 8) },
    frame.capacity,
    { clip: 2 ** 16 },
  );
  const weightBuffer = gpu().upload(weights);
  gpu().run((batch) => {
    recordNormals(batch, mesh);
    recordGeometry(batch, { mesh, cameras }, frame);
    recordRasterize(batch, mesh, frame, rasterized);
    recordInterpolate(batch, mesh, frame, rasterized, attributes, out);
    recordInterpolateBackward(batch, mesh, frame, rasterized, attributes, weightBuffer, {
      attributes: attributeGradient,
      scale,
      rast: rastGradient,
    });
    recordRasterizeBackward(batch, mesh, frame, rastGradient, gradients);
  });
  const ids = await gpu().readUint32(frame.ids, pixels);
  const records = await gpu().readFloat32(frame.vertices);
  /** Clip positions, 4 per view and position. */
  const clip = Float64Array.from({ length: positionCount * 2 * 4 }, (_, i) => {
    return records[(verticesOffset(2) + Math.floor(i / 4) * 2) * 4 + (i % 4)];
  });
  const attributeValues = Float64Array.from(values);
  /** Value of channel c at pixel i, moved by (dx, dy) pixels. */
  const at = (i: number, c: number, dx = 0, dy = 0): number => {
    if (ids[i] === 0) return 0;
    const n = Math.floor(i / (width * height));
    const own = [...corners.subarray((ids[i] - 1) * 3, ids[i] * 3)];
    const p = referenceCenter((i % width) + dx, (Math.floor(i / width) % height) + dy, width, height);
    const { b } = referenceBarycentric(
      p,
      own.map((v) => [...clip.subarray((n * positionCount + v) * 4, (n * positionCount + v) * 4 + 4)]),
    );
    return own.reduce((sum, v, k) => sum + b[k] * attributeValues[v * CHANNELS + c], 0);
  };
  const loss = () => weights.reduce((sum, w, i) => sum + w * at(Math.floor(i / CHANNELS), i % CHANNELS), 0);
  const difference = (list: Float64Array, i: number) => {
    const kept = list[i];
    list[i] = kept + 1e-6;
    const high = loss();
    list[i] = kept - 1e-6;
    const low = loss();
    list[i] = kept;
    return (high - low) / 2e-6;
  };
  return {
    mesh,
    frame,
    pixels,
    out,
    rasterized,
    gradients,
    attributeGradient,
    scale,
    ids,
    clip,
    at,
    attributeValues,
    difference,
  };
}

describe('rasterize and interpolate', () => {
  it('give perspective-correct attributes and their changes per pixel', async () => {
    const s = await setUp();
    const values = await gpu().readFloat32(s.out.values, s.pixels * CHANNELS);
    const changes = await gpu().readFloat32(s.out.valuesDb, s.pixels * CHANNELS * 2);
    expect(s.ids.filter((id) => id > 0).length).toBeGreaterThan(150);
    const e = 1e-4;
    let clamped = 0;
    for (let i = 0; i < s.pixels; i++) {
      for (let c = 0; c < CHANNELS; c++) {
        const wanted = s.at(i, c);
        if (Math.abs(values[i * CHANNELS + c] - wanted) > 1e-4) clamped++;
        expect(Math.abs(values[i * CHANNELS + c] - wanted)).toBeLessThan(0.01);
        [
          [1, 0],
          [0, 1],
        ].forEach(([dx, dy], axis) => {
          const change = (s.at(i, c, dx * e, dy * e) - s.at(i, c, -dx * e, -dy * e)) / (2 * e);
          expect(Math.abs(changes[(i * CHANNELS + c) * 2 + axis] - change)).toBeLessThan(2e-3 * (1 + Math.abs(change)));
        });
      }
    }
    // Only centres that lie on an edge to within the rasteriser's grid may differ.
    expect(clamped).toBeLessThan(s.pixels * 0.01);
  });

  it('give depth that the ids agree with, and nothing where nothing is seen', async () => {
    const s = await setUp();
    const rast = await gpu().readFloat32(s.rasterized.rast, s.pixels * 4);
    for (let i = 0; i < s.pixels; i++) {
      expect(rast[i * 4 + 3]).toBe(s.ids[i]);
      if (s.ids[i] === 0) expect([...rast.subarray(i * 4, i * 4 + 4)]).toEqual([0, 0, 0, 0]);
      else expect(rast[i * 4 + 2] > 0 && rast[i * 4 + 2] < 1).toBe(true);
    }
  });

  it('have gradients to attributes and clip positions like central differences', async () => {
    const s = await setUp();
    const attributes = await gpu().readInt32(s.attributeGradient, s.attributeValues.length);
    for (let i = 0; i < s.attributeValues.length; i += 2) {
      const wanted = s.difference(s.attributeValues, i);
      expect(Math.abs(attributes[i] / s.scale - wanted)).toBeLessThan(2e-3 + 2e-3 * Math.abs(wanted));
    }
    const scatter = await gpu().readInt32(s.gradients.scatter);
    let largest = 0;
    for (let i = 0; i < s.clip.length; i++) {
      const axis = i % 4;
      if (axis === 2 || i % 3 === 0) continue;
      const wanted = s.difference(s.clip, i);
      const got = scatter[Math.floor(i / 4) * 8 + (axis === 3 ? 2 : axis)] / s.gradients.scales.clip;
      largest = Math.max(largest, Math.abs(wanted));
      expect(Math.abs(got - wanted)).toBeLessThan(5e-3 + 1e-2 * Math.abs(wanted));
    }
    expect(largest).toBeGreaterThan(1);
  });
});
