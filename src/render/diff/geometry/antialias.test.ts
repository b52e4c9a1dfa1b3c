import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../../test/gpu.js';
import type { Mesh } from '../../../core/mesh.js';
import { createFrame } from '../frame.js';
import { createEmptyMaterial, recordMaterialMips } from '../shade/material.js';
import { recordShade } from '../shade/shade.js';
import type { DiffScene } from '../types.js';
import { recordAntialias } from './antialias.js';
import { createDiffCameras } from './cameras.js';
import { recordGeometry } from './geometry.js';
import { createDiffMesh } from './mesh.js';
import { recordNormals } from './normals.js';

const gpu = useGpu();
const SIZE = 32;

/** Coverage of a mesh in the plane z = 0 seen from above it, one unit per pixel, (0, 0) in the middle. */
async function coverage(mesh: Mesh): Promise<Float32Array> {
  const cameraToWorld = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 100, 1];
  const camera = { cameraToWorld, width: SIZE, height: SIZE, fx: 100, fy: 100, cx: SIZE / 2, cy: SIZE / 2 };
  const scene: DiffScene = {
    mesh: createDiffMesh(gpu(), mesh),
    cameras: createDiffCameras(gpu(), [camera], [0, 0, 0], 20),
    material: createEmptyMaterial(gpu(), 1, 1),
  };
  const { positionCount, triangleCount } = scene.mesh;
  const frame = createFrame(gpu(), { width: SIZE, height: SIZE, capacity: 1, positionCount, triangleCount });
  frame.views = [0];
  gpu().run((batch) => {
    recordMaterialMips(batch, scene.material);
    recordNormals(batch, scene.mesh);
    recordGeometry(batch, scene, frame);
    recordShade(batch, scene, frame);
    recordAntialias(batch, scene.mesh, frame);
  });
  const picture = await gpu().readFloat32(frame.antialiased, SIZE * SIZE * 4);
  return picture.filter((_, i) => i % 4 === 3);
}

const quad = (angle: number, x: number, y: number): Mesh => {
  const corner = (u: number, v: number) => [
    Math.cos(angle) * u - Math.sin(angle) * v,
    Math.sin(angle) * u + Math.cos(angle) * v,
    0,
  ];
  const positions = [...corner(-x, -y), ...corner(x, -y), ...corner(x, y), ...corner(-x, y)];
  return { positions: Float32Array.from(positions), indices: Uint32Array.of(0, 1, 2, 0, 2, 3) };
};

describe('antialias', () => {
  it.each([0, 0.1, 0.5, Math.PI / 4, 1.2])(
    'gives a square turned by %f its area, and single pixels their share',
    async (angle) => {
      const [x, y] = [9.3, 7.8];
      const got = await coverage(quad(angle, x, y));
      const area = got.reduce((a, b) => a + b, 0);
      expect(Math.abs(area - 4 * x * y)).toBeLessThan(0.015 * 4 * x * y);
      // Share of each pixel by 32 × 32 samples.
      let sum = 0;
      let worst = 0;
      for (let i = 0; i < SIZE * SIZE; i++) {
        let inside = 0;
        for (let k = 0; k < 1024; k++) {
          const px = (i % SIZE) + ((k % 32) + 0.5) / 32 - SIZE / 2;
          const py = SIZE / 2 - Math.floor(i / SIZE) - (Math.floor(k / 32) + 0.5) / 32;
          const u = Math.cos(angle) * px + Math.sin(angle) * py;
          const v = -Math.sin(angle) * px + Math.cos(angle) * py;
          if (Math.abs(u) < x && Math.abs(v) < y) inside++;
        }
        const error = Math.abs(got[i] - inside / 1024);
        sum += error;
        worst = Math.max(worst, error);
      }
      // Without antialiasing the mean error of a pixel on the outline is a quarter: about 18 in all.
      expect(sum).toBeLessThan(5);
      expect(worst).toBeLessThan(0.5);
    },
  );

  it('leaves edges between triangles of one surface alone', async () => {
    const got = await coverage(quad(0.4, 9, 9));
    expect(got[(SIZE / 2) * SIZE + SIZE / 2]).toBe(1);
    expect(got.filter((v) => v === 1).length).toBeGreaterThan(240);
    expect(Math.min(...got)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...got)).toBeLessThanOrEqual(1);
  });

  it('finds outlines whose triangles are narrower than pixels', async () => {
    const [rows, columns, radius] = [60, 120, 10];
    const positions = Array.from({ length: (rows + 1) * columns }, (_, i) => {
      const [polar, azimuth] = [(Math.floor(i / columns) / rows) * Math.PI, ((i % columns) / columns) * 2 * Math.PI];
      return [Math.sin(polar) * Math.cos(azimuth), Math.cos(polar), Math.sin(polar) * Math.sin(azimuth)];
    }).flat();
    const indices = Array.from({ length: rows * columns }, (_, i) => {
      const next = i - (i % columns) + ((i + 1) % columns);
      return [i, next, i + columns, next, next + columns, i + columns];
    }).flat();
    const got = await coverage({
      positions: Float32Array.from(positions, (v) => v * radius),
      indices: Uint32Array.from(indices),
    });
    const seen = (100 * radius) / Math.sqrt(100 ** 2 - radius ** 2);
    let [sum, squares, count] = [0, 0, 0];
    for (let i = 0; i < SIZE * SIZE; i++) {
      let inside = 0;
      for (let k = 0; k < 1024; k++) {
        const x = (i % SIZE) + ((k % 32) + 0.5) / 32 - SIZE / 2;
        const y = Math.floor(i / SIZE) + (Math.floor(k / 32) + 0.5) / 32 - SIZE / 2;
        if (Math.hypot(x, y) < seen) inside++;
      }
      if (inside === 0 || inside === 1024) continue;
      count++;
      sum += got[i] - inside / 1024;
      squares += (got[i] - inside / 1024) ** 2;
    }
    expect(Math.abs(sum / count)).toBeLessThan(0.02);
    expect(Math.sqrt(squares / count)).toBeLessThan(0.06);
  });
});
