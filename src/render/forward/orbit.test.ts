import { expect, test } from 'vitest';
import { box } from '../../../test/texturedShapes.js';
import { cameraPosition, projectPoint } from '../../core/camera.js';
import { fitOrbit, orbitCamera } from './orbit.js';

test('a fitted orbit shows the whole object from every azimuth, and no smaller than it must', () => {
  const mesh = box([0.3, 1.4, 0.8], 4);
  for (let i = 1; i < mesh.positions.length; i += 3) mesh.positions[i] += 5;
  const azimuths = [0, 45, 90, 200];
  for (const [width, height] of [
    [100, 100],
    [160, 90],
    [90, 160],
  ]) {
    const orbit = fitOrbit(mesh, { elevation: 25 }, width / height, azimuths);
    let reach = 0;
    for (const azimuth of azimuths) {
      const camera = orbitCamera({ ...orbit, azimuth }, width, height);
      for (let v = 0; v < mesh.positions.length; v += 3) {
        const p = projectPoint(camera, [mesh.positions[v], mesh.positions[v + 1], mesh.positions[v + 2]]);
        reach = Math.max(reach, Math.abs((2 * p.x) / width - 1), Math.abs((2 * p.y) / height - 1));
      }
    }
    expect(reach).toBeLessThanOrEqual(0.9001);
    expect(reach).toBeGreaterThan(0.8);
  }
});

test('azimuth 0 looks from +Z and 90 from +X; straight down still has an upward direction', () => {
  const orbit = { target: [0, 0, 0] as [number, number, number], distance: 2, elevation: 0 };
  expect(cameraPosition(orbitCamera(orbit, 10, 10))[2]).toBeCloseTo(2);
  expect(cameraPosition(orbitCamera({ ...orbit, azimuth: 90 }, 10, 10))[0]).toBeCloseTo(2);
  const down = orbitCamera({ ...orbit, elevation: 90 }, 10, 10);
  // What lies towards −Z, away from the front, is up in the picture.
  expect(projectPoint(down, [0, 0, -0.1]).y).toBeLessThan(5);
  expect(projectPoint(down, [0.1, 0, 0]).x).toBeGreaterThan(5);
});

test('what an orbit states itself is kept', () => {
  const orbit = fitOrbit(box(), { distance: 9, target: [1, 2, 3], azimuth: 30, fov: 50 });
  expect(orbit).toMatchObject({ distance: 9, target: [1, 2, 3], azimuth: 30, fov: 50 });
});
