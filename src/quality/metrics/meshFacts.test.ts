import { expect, test } from 'vitest';
import { healthyMesh } from '../../../test/qualityFixtures.js';
import { orbitCamera, sphereAsset, sphereMesh } from '../../../test/sphereCapture.js';
import { texelsPerPixel, textureCoverage, textureQuality } from './meshFacts.js';

test('measures how much of the texture is used', () => {
  // The triangles at the poles leave half a row of quads each unused.
  expect(textureCoverage(sphereMesh(64))).toBeCloseTo(63 / 64, 6);
  expect(textureQuality(sphereAsset(128))).toMatchObject({ kind: 'baked', width: 128, height: 128, unseenShare: null });
});

test('texels per pixel follow texture size, distance and focal length', () => {
  const camera = orbitCamera(0, 512);
  const coarse = texelsPerPixel(sphereAsset(256), healthyMesh)!(camera);
  expect(texelsPerPixel(sphereAsset(512), healthyMesh)!(camera)).toBeCloseTo(2 * coarse, 6);
  expect(texelsPerPixel(sphereAsset(256), healthyMesh)!(orbitCamera(0, 1024))).toBeCloseTo(coarse / 2, 6);
  const perUnit = Math.sqrt(((31 / 32) * 256 * 256) / 12.54);
  expect(coarse).toBeCloseTo((perUnit * Math.hypot(3.9, 0.9)) / (512 * 1.4), 6);
});

test('an asset without surface or UVs has no texel density', () => {
  const asset = sphereAsset();
  expect(texelsPerPixel({ ...asset, mesh: { ...asset.mesh, uvs: undefined } }, healthyMesh)).toBeNull();
  expect(texelsPerPixel(asset, { ...healthyMesh, area: 0 })).toBeNull();
});
