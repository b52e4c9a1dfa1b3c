import type { Capture, View } from '../src/capture/capture.js';
import type { Asset } from '../src/core/asset.js';
import type { Camera } from '../src/core/camera.js';
import type { ColorImage, FloatImage } from '../src/core/image.js';
import { linearToSrgb } from '../src/core/image.js';
import { identity, lookAt, transformDirection, type Vec3 } from '../src/core/math.js';
import type { Mesh } from '../src/core/mesh.js';

export interface SphereLook {
  /** Scene units. Default 1. */
  radius?: number;
  centre?: Vec3;
  /** Factor on linear light. Default 1. */
  exposure?: number;
  /** A white spot that stays with the camera. Default false. */
  highlight?: boolean;
}

/** A striped sphere by ray casting, one ray per pixel: ground truth that needs no GPU. */
export function drawSphere(camera: Camera, look: SphereLook = {}): { color: ColorImage; depth: FloatImage } {
  const { radius = 1, centre = [0, 0, 0], exposure = 1, highlight = false } = look;
  const { width, height, cameraToWorld: m } = camera;
  const color = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  const depth = { width, height, data: new Float32Array(width * height) };
  const eye: Vec3 = [m[12] - centre[0], m[13] - centre[1], m[14] - centre[2]];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const local: Vec3 = [(x + 0.5 - camera.cx) / camera.fx, -(y + 0.5 - camera.cy) / camera.fy, -1];
      const d = transformDirection(m, local);
      const dd = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
      const b = eye[0] * d[0] + eye[1] * d[1] + eye[2] * d[2];
      const c = eye[0] * eye[0] + eye[1] * eye[1] + eye[2] * eye[2] - radius * radius;
      const root = b * b - dd * c;
      if (root < 0) continue;
      const t = (-b - Math.sqrt(root)) / dd;
      if (t <= 0) continue;
      const n = [0, 1, 2].map((k) => (eye[k] + t * d[k]) / radius);
      const facing = -(n[0] * d[0] + n[1] * d[1] + n[2] * d[2]) / Math.sqrt(dd);
      const spot = highlight && facing > 0.93;
      const i = y * width + x;
      color.data.set(spot ? [255, 255, 255] : sphereColor(n, exposure), i * 4);
      color.data[i * 4 + 3] = 255;
      depth.data[i] = t;
    }
  return { color, depth };
}

/** sRGB of the stripes, shaded from above, at a point of the unit sphere. */
function sphereColor(n: readonly number[], exposure = 1): number[] {
  const stripe = 0.5 + 0.5 * Math.sin(9 * n[0] + 4 * n[1]) * Math.cos(7 * n[2]);
  const shade = (0.35 + 0.3 * n[1]) * exposure;
  const albedo = [0.9 * stripe + 0.08, 0.35 + 0.2 * stripe, 0.75 - 0.6 * stripe];
  return albedo.map((v) => 255 * linearToSrgb(Math.min(1, v * shade)));
}

/** A camera at distance 4 and an azimuth in degrees, looking at the origin from a little above. */
export function orbitCamera(azimuth: number, size = 64): Camera {
  const a = (azimuth * Math.PI) / 180;
  const eye: Vec3 = [3.9 * Math.sin(a), 0.9, 3.9 * Math.cos(a)];
  return {
    cameraToWorld: lookAt(eye, [0, 0, 0]),
    width: size,
    height: size,
    fx: size * 1.4,
    fy: size * 1.4,
    cx: size / 2,
    cy: size / 2,
  };
}

/** Pictures of the sphere on a circle, in memory. */
export function sphereCapture(
  options: { views?: number; test?: number; size?: number; depth?: boolean; look?: (view: number) => SphereLook } = {},
): Capture {
  const { views: count = 6, test = 0, size = 64, depth = true, look } = options;
  const views = Array.from({ length: count + test }, (_, i): View => {
    const camera = orbitCamera((i * 360) / (count + test), size);
    return {
      name: i < count ? `r_${i}` : `test_${i - count}`,
      source: `memory:${i}`,
      camera,
      split: i < count ? 'train' : 'test',
      loadColor: async () => drawSphere(camera, look?.(i)).color,
      depth: depth
        ? { source: `memory:${i}`, camera, accuracy: 1e-4, load: async () => drawSphere(camera).depth }
        : undefined,
    };
  });
  return {
    name: 'sphere',
    source: 'memory:',
    format: 'object',
    views,
    bounds: { min: [-1.05, -1.05, -1.05], max: [1.05, 1.05, 1.05] },
    inputToWorld: identity(),
    scaleKnown: true,
    masks: 'alpha',
    warnings: [],
    dispose: async () => undefined,
  };
}

/** A closed sphere of longitude/latitude quads with UVs over the whole texture. */
export function sphereMesh(segments = 32): Mesh {
  const positions: number[] = [];
  const normals: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  for (let j = 0; j <= segments; j++)
    for (let i = 0; i <= 2 * segments; i++) {
      const polar = (j / segments) * Math.PI;
      // Exactly equal positions along the seam and at the poles, so that the sphere is closed.
      const azimuth = ((i % (2 * segments)) / segments) * Math.PI;
      const ring = j % segments === 0 ? 0 : Math.sin(polar);
      const n = [ring * Math.sin(azimuth), Math.cos(polar), ring * Math.cos(azimuth)];
      positions.push(...n);
      normals.push(...n);
      uvs.push(i / (2 * segments), j / segments);
    }
  const row = 2 * segments + 1;
  for (let j = 0; j < segments; j++)
    for (let i = 0; i < 2 * segments; i++) {
      const a = j * row + i;
      if (j > 0) indices.push(a, a + row, a + 1);
      if (j < segments - 1) indices.push(a + 1, a + row, a + row + 1);
    }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    uvs: Float32Array.from(uvs),
    indices: Uint32Array.from(indices),
  };
}

/** The sphere with its stripes baked into a texture. */
export function sphereAsset(textureSize = 256): Asset {
  const size = textureSize;
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const polar = ((y + 0.5) / size) * Math.PI;
      const azimuth = ((x + 0.5) / size) * 2 * Math.PI;
      const n = [Math.sin(polar) * Math.sin(azimuth), Math.cos(polar), Math.sin(polar) * Math.cos(azimuth)];
      data.set(sphereColor(n), (y * size + x) * 4);
    }
  return { mesh: sphereMesh(), material: { kind: 'baked', baseColor: { width: size, height: size, data } } };
}
