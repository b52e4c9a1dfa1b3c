import { expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { box, picture, square } from '../../../test/texturedShapes.js';
import type { Asset } from '../../core/asset.js';
import { type Camera, projectPoint, unprojectPixel, worldToCamera } from '../../core/camera.js';
import type { ColorImage, HdrImage } from '../../core/image.js';
import { linearToSrgb, srgbToLinear } from '../../core/image.js';
import { cross, dot, lookAt, sub, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { Random } from '../../core/random.js';
import { AssetRenderer, type RenderOptions } from './assetRenderer.js';
import { integrateBrdf } from './environmentLight.js';

const gpu = useGpu();

/** A camera with an off-centre principal point and pixels that are not square. */
const oddCamera = (): Camera => ({
  cameraToWorld: lookAt([2.1, 1.4, 3], [0.1, -0.1, 0]),
  width: 61,
  height: 45,
  fx: 70,
  fy: 63,
  cx: 27.3,
  cy: 25.8,
});

/** Looks along −z at the origin; one scene unit is `scale` pixels there. */
const frontCamera = (size: number, scale: number): Camera => ({
  cameraToWorld: lookAt([0, 0, 4], [0, 0, 0]),
  width: size,
  height: size,
  fx: 4 * scale,
  fy: 4 * scale,
  cx: size / 2,
  cy: size / 2,
});

const plain = (r: number, g: number, b: number): ColorImage => picture(1, 1, () => [r, g, b]);
const baked = (mesh: Mesh, baseColor: ColorImage): Asset => ({ mesh, material: { kind: 'baked', baseColor } });

async function withRenderer<T>(asset: Asset, use: (renderer: AssetRenderer) => Promise<T>): Promise<T> {
  const renderer = await AssetRenderer.create(gpu(), asset);
  try {
    return await use(renderer);
  } finally {
    renderer.dispose();
  }
}

const draw = (asset: Asset, camera: Camera, options?: RenderOptions) =>
  withRenderer(asset, (renderer) => renderer.render(camera, options));

const pixel = (image: ColorImage, x: number, y: number): number[] =>
  Array.from(image.data.subarray((y * image.width + x) * 4, (y * image.width + x) * 4 + 4));

/**
 * Depth and triangle + 1 along the ray through a pixel centre, and how close the ray passes to an edge (barycentric).
 */
function trace(mesh: Mesh, camera: Camera, x: number, y: number): { depth: number; id: number; margin: number } {
  const eye = unprojectPixel(camera, 0, 0, 0);
  const direction = sub(unprojectPixel(camera, x + 0.5, y + 0.5, 1), eye);
  let best = { depth: 0, id: 0 };
  let margin = Infinity;
  for (let t = 0; t < mesh.indices.length / 3; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => {
      const v = mesh.indices[t * 3 + k] * 3;
      return [mesh.positions[v], mesh.positions[v + 1], mesh.positions[v + 2]] as Vec3;
    });
    const [e1, e2] = [sub(b, a), sub(c, a)];
    const p = cross(direction, e2);
    const det = dot(e1, p);
    if (Math.abs(det) < 1e-12) continue;
    const s = sub(eye, a);
    const u = dot(s, p) / det;
    const q = cross(s, e1);
    const v = dot(direction, q) / det;
    const depth = dot(e2, q) / det;
    const inside = Math.min(u, v, 1 - u - v);
    if (depth <= 0) continue;
    margin = Math.min(margin, Math.abs(inside));
    if (inside >= 0 && (best.id === 0 || depth < best.depth)) best = { depth, id: t + 1 };
  }
  return { ...best, margin };
}

test('depth and triangle numbers agree with ray tracing at pixel centres of an off-centre camera', async () => {
  const random = new Random(7);
  const corners = Array.from({ length: 24 * 9 }, () => random.float() * 2 - 1);
  const mesh: Mesh = {
    positions: Float32Array.from(corners),
    indices: Uint32Array.from({ length: 72 }, (_, i) => i),
  };
  const camera = oddCamera();
  const { depth, triangleId } = await draw(baked(mesh, plain(255, 255, 255)), camera, {
    depth: true,
    triangleId: true,
  });
  let compared = 0;
  for (let y = 0; y < camera.height; y++) {
    for (let x = 0; x < camera.width; x++) {
      const expected = trace(mesh, camera, x, y);
      if (expected.margin < 0.01) continue;
      compared++;
      expect(triangleId![y * camera.width + x]).toBe(expected.id);
      expect(depth!.data[y * camera.width + x]).toBeCloseTo(expected.depth, 4);
    }
  }
  expect(compared).toBeGreaterThan(1500);
});

test('a vertex appears at the pixel that projectPoint names', async () => {
  const camera = { ...oddCamera(), width: 200, height: 150, cx: 93, cy: 81, fx: 230, fy: 210 };
  const corner: Vec3 = [0.35, 0.2, 0.1];
  const tip: Mesh = {
    positions: Float32Array.from([...corner, 0.35, -0.6, 0.1, 0.9, -0.4, 0.1]),
    indices: Uint32Array.from([0, 1, 2]),
  };
  const { color } = await draw(baked(tip, plain(255, 255, 255)), camera, { supersample: 8 });
  const p = projectPoint(camera, corner, worldToCamera(camera));
  let top = camera.height;
  for (let i = 0; i < color.data.length / 4; i++) {
    if (color.data[i * 4 + 3] > 0) top = Math.min(top, Math.floor(i / camera.width));
  }
  expect(Math.abs(top - p.y)).toBeLessThan(1.5);
});

test('a texture whose texels fall on pixels comes back unchanged', async () => {
  const random = new Random(1);
  const texture = picture(32, 32, () => [random.integer(256), random.integer(256), random.integer(256)]);
  const { color } = await draw(baked(square(), texture), frontCamera(40, 16), { supersample: 1 });
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      const got = pixel(color, x + 4, y + 4);
      const expected = pixel(texture, x, y);
      for (let c = 0; c < 4; c++) expect(Math.abs(got[c] - expected[c])).toBeLessThanOrEqual(1);
    }
  }
  expect(pixel(color, 3, 20)).toEqual([0, 0, 0, 0]);
});

test('alpha is coverage and colours at edges stay those of the object', async () => {
  const { color } = await draw(baked(square(0.53), plain(200, 80, 20)), frontCamera(20, 10), { supersample: 8 });
  // The square reaches 5.3 pixels from the middle: pixel 4 is covered by 0.3.
  expect(Math.abs(pixel(color, 4, 10)[3] / 255 - 0.3)).toBeLessThan(0.08);
  for (let x = 4; x < 16; x++) {
    const [r, g, b] = pixel(color, x, 10);
    expect(Math.max(Math.abs(r - 200), Math.abs(g - 80), Math.abs(b - 20))).toBeLessThanOrEqual(1);
  }
});

test('a background is composited in encoded values', async () => {
  const asset = baked(square(0.53), plain(200, 80, 20));
  const camera = frontCamera(20, 10);
  const clear = (await draw(asset, camera)).color;
  const { color } = await draw(asset, camera, { background: [1, 1, 1] });
  for (let i = 0; i < clear.data.length; i += 4) {
    const a = clear.data[i + 3] / 255;
    for (let c = 0; c < 3; c++)
      expect(Math.abs(color.data[i + c] - (clear.data[i + c] * a + 255 * (1 - a)))).toBeLessThan(1.5);
    expect(color.data[i + 3]).toBe(255);
  }
});

test('minified textures are averaged in linear light', async () => {
  const checks = picture(256, 256, (x, y) => ((x + y) % 2 ? [255, 255, 255] : [0, 0, 0]));
  const { color } = await draw(baked(square(), checks), frontCamera(24, 8));
  // Half of full light is 188 encoded; averaging encoded values would give 128.
  expect(Math.abs(pixel(color, 12, 12)[0] - 188)).toBeLessThanOrEqual(2);
});

test('in even light a surface shows what the split-sum integral predicts', async () => {
  const environment: HdrImage = { width: 16, height: 8, data: new Float32Array(16 * 8 * 3).fill(0.7) };
  for (const [roughness, metallic] of [
    [0.3, 0],
    [0.8, 0],
    [0.5, 1],
  ]) {
    const asset: Asset = {
      mesh: square(),
      environment,
      material: {
        kind: 'pbr',
        baseColor: plain(180, 120, 60),
        occlusionRoughnessMetallic: plain(255, Math.round(roughness * 255), metallic * 255),
      },
    };
    const { color } = await draw(asset, frontCamera(16, 8));
    const [a, b] = integrateBrdf(0.999, roughness, 4096);
    [180, 120, 60].forEach((encoded, c) => {
      const base = srgbToLinear(encoded / 255);
      const f0 = 0.04 * (1 - metallic) + base * metallic;
      const expected = 0.7 * (base * (1 - metallic) + f0 * a + b);
      expect(Math.abs(pixel(color, 8, 8)[c] - 255 * linearToSrgb(expected))).toBeLessThan(3);
    });
  }
});

test('turning the environment moves light counter-clockwise seen from above', async () => {
  // Light from +Z only: the middle of the map is −Z, its borders are +Z.
  const environment: HdrImage = { width: 32, height: 16, data: new Float32Array(32 * 16 * 3) };
  for (let y = 4; y < 12; y++)
    for (const x of [0, 1, 30, 31]) environment.data.fill(4, (y * 32 + x) * 3, (y * 32 + x) * 3 + 3);
  const asset: Asset = { mesh: box(), environment, material: { kind: 'pbr', baseColor: plain(128, 128, 128) } };
  const fromX: Camera = { ...frontCamera(16, 4), cameraToWorld: lookAt([4, 0, 0], [0, 0, 0]) };
  await withRenderer(asset, async (renderer) => {
    const brightness = async (camera: Camera, environmentRotation: number) =>
      pixel((await renderer.render(camera, { environmentRotation })).color, 8, 8)[0];
    expect(await brightness(frontCamera(16, 4), 0)).toBeGreaterThan(2 * (await brightness(fromX, 0)));
    expect(await brightness(fromX, Math.PI / 2)).toBe(await brightness(frontCamera(16, 4), 0));
  });
});

test('a normal map tilts the surface towards +u and up, with or without given tangents', async () => {
  const environment: HdrImage = { width: 64, height: 32, data: new Float32Array(64 * 32 * 3) };
  // Brighter towards +X and towards +Y.
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 64; x++) {
      const polar = ((y + 0.5) / 32) * Math.PI;
      const azimuth = ((x + 0.5) / 64 - 0.5) * 2 * Math.PI;
      environment.data[(y * 64 + x) * 3] = 0.5 + 0.5 * Math.sin(azimuth) * Math.sin(polar);
      environment.data[(y * 64 + x) * 3 + 1] = 0.5 + 0.5 * Math.cos(polar);
    }
  }
  const lit = async (normal: ColorImage, tangents?: Float32Array) =>
    pixel(
      (
        await draw(
          {
            mesh: { ...square(), tangents },
            environment,
            material: { kind: 'pbr', baseColor: plain(160, 160, 160), normal },
          },
          frontCamera(16, 8),
        )
      ).color,
      8,
      8,
    );
  const flat = await lit(plain(128, 128, 255));
  const right = await lit(plain(218, 128, 218));
  const up = await lit(plain(128, 218, 218));
  expect(right[0]).toBeGreaterThan(flat[0] + 15);
  expect(Math.abs(right[1] - flat[1])).toBeLessThan(6);
  expect(up[1]).toBeGreaterThan(flat[1] + 15);
  expect(Math.abs(up[0] - flat[0])).toBeLessThan(6);
  const tangents = Float32Array.from([1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
  const given = await lit(plain(128, 218, 218), tangents);
  for (let c = 0; c < 3; c++) expect(Math.abs(given[c] - up[c])).toBeLessThanOrEqual(2);
});

test('clay is darker in a crease than on an open face', async () => {
  // A floor and a wall that meet at the origin.
  const wall = square(1, -1);
  const floor = box([1, 0.01, 1], 24);
  const positions = [...wall.positions, ...floor.positions.map((x, i) => (i % 3 === 1 ? x - 1 : x))];
  const mesh: Mesh = {
    positions: Float32Array.from(positions),
    normals: Float32Array.from([...wall.normals!, ...floor.normals!]),
    uvs: new Float32Array((positions.length / 3) * 2),
    indices: Uint32Array.from([...wall.indices, ...floor.indices.map((i) => i + 4)]),
  };
  const camera: Camera = { ...frontCamera(64, 12), cameraToWorld: lookAt([0, 5, 3], [0, -1, 0]) };
  const { color } = await draw(baked(mesh, plain(255, 255, 255)), camera, { mode: 'clay' });
  const at = (z: number) => {
    const p = projectPoint(camera, [0, -0.99, z]);
    return pixel(color, Math.floor(p.x), Math.floor(p.y))[0];
  };
  expect(at(-0.85)).toBeLessThan(at(0.6) - 8);
});

test('many views come in order and equal single renders byte for byte', async () => {
  const random = new Random(3);
  const texture = picture(64, 64, () => [random.integer(256), random.integer(256), random.integer(256)]);
  const cameras = Array.from({ length: 7 }, (_, i) => ({
    ...frontCamera(48, 10),
    cameraToWorld: lookAt([4 * Math.sin(i), 1, 4 * Math.cos(i)], [0, 0, 0]),
  }));
  await withRenderer(baked(box(), texture), async (renderer) => {
    const many: Uint8ClampedArray[] = [];
    for await (const { color } of renderer.renderEach(cameras)) many.push(color.data as Uint8ClampedArray);
    expect(many.length).toBe(7);
    for (let i = 0; i < 7; i++) expect(many[i]).toEqual((await renderer.render(cameras[i])).color.data);
  });
});

test('an abort ends a run of views with CANCELLED', async () => {
  await withRenderer(baked(box(), plain(9, 9, 9)), async (renderer) => {
    const abort = new AbortController();
    const run = async () => {
      for await (const _ of renderer.renderEach(Array(20).fill(frontCamera(16, 4)), {}, abort.signal)) abort.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
