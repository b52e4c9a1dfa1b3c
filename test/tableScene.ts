import type { SparsePoints, View } from '../src/capture/capture.js';
import { areaDownscale, fittedSize } from '../src/capture/images/resample.js';
import { type Camera, projectPoint, unprojectPixel } from '../src/core/camera.js';
import { add, dot, lookAt, normalize, scale, sub, type Vec3 } from '../src/core/math.js';
import { Random } from '../src/core/random.js';

/** A photographed scene with its truth. */
export interface TableScene {
  views: View[];
  sparse: SparsePoints;
  /** 1 where the object, and where its shadow on the table is, at a width of the picture. */
  mask(view: number, width: number): { object: Uint8Array; shadow: Uint8Array };
}

/** Half sides of the thing, which stands on the table at y = 0. */
export const HALF: Vec3 = [0.16, 0.12, 0.1];
const LIGHT = normalize([0.5, 1, 0.3]);

/**
 * A patterned block on a patterned table by exact rays, with a hard shadow, seen from a ring of cameras, with sparse
 * points on the surfaces as cameras from photos would have them.
 */
export function boxScene({ photos = 10, width = 160 } = {}): TableScene {
  const height = (width * 3) / 4;
  const random = new Random(5);
  const cameras = Array.from({ length: photos }, (_, i): Camera => {
    const a = (2 * Math.PI * i) / photos + 0.1;
    const high = i % 2 ? 0.75 : 0.45;
    const eye: Vec3 = [Math.cos(a) * 1.1, high, Math.sin(a) * 1.1];
    const cameraToWorld = lookAt(eye, [0, 0.1, 0]);
    return { cameraToWorld, width, height, fx: 1.5 * width, fy: 1.5 * width, cx: width / 2, cy: height / 2 };
  });
  const pictures = cameras.map((camera) => picture(camera, random));
  const positions: number[] = [];
  const seen = cameras.map((): number[] => []);
  for (let n = 0; n < 900; n++) {
    const onTable = n % 3 > 0;
    const p: Vec3 = onTable ? [random.float() * 1.6 - 0.8, 0, random.float() * 1.6 - 0.8] : onBlock(random);
    const shown = cameras.flatMap((camera, i) => (visible(camera, p) ? [i] : []));
    if (shown.length < 2) continue;
    for (const i of shown) if (random.float() < 0.6) seen[i].push(positions.length / 3);
    positions.push(...p.map((v) => v + 0.0006 * random.normal()));
  }
  const views = cameras.map(
    (camera, i): View => ({
      name: `photo_${i}`,
      source: `photo_${i}`,
      camera,
      split: 'train',
      loadColor: async ({ maxSize } = {}) => {
        const size = fittedSize(width, height, maxSize);
        return areaDownscale({ width, height, data: pictures[i].color.slice() }, size.width, size.height);
      },
    }),
  );
  return {
    views,
    sparse: {
      positions: Float64Array.from(positions),
      seen: new Map(views.map(({ name }, i) => [name, Uint32Array.from(seen[i])])),
    },
    mask(view, wanted) {
      if (wanted !== width) throw new Error(`the truth is ${width} pixels wide, not ${wanted}`);
      return pictures[view];
    },
  };
}

function picture(camera: Camera, random: Random) {
  const { width, height, cameraToWorld: m } = camera;
  const eye: Vec3 = [m[12], m[13], m[14]];
  const color = new Uint8ClampedArray(width * height * 4);
  const object = new Uint8Array(width * height);
  const shadow = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const direction = normalize(sub(unprojectPixel(camera, x + 0.5, y + 0.5, 1), eye));
      const block = hitBlock(eye, direction);
      const table = direction[1] < 0 ? -eye[1] / direction[1] : Infinity;
      let rgb: number[] = [120, 130, 150];
      if (block) {
        object[i] = 1;
        const p = add(eye, scale(direction, block.t));
        const light = 0.55 + 0.45 * Math.max(0, dot(block.normal, LIGHT));
        const patch = noise(p[0] * 40, p[1] * 40, p[2] * 40);
        rgb = [light * (150 + 70 * patch), light * (60 + 60 * patch), light * 50];
      } else if (table < 4) {
        const p = add(eye, scale(direction, table));
        if (hitBlock(add(p, scale(LIGHT, 1e-4)), LIGHT)) shadow[i] = 1;
        const wood = 120 + 60 * noise(p[0] * 14, 7, p[2] * 50);
        const light = shadow[i] ? 0.5 : 1;
        rgb = [light * wood, light * 0.85 * wood, light * 0.65 * wood];
      }
      for (let c = 0; c < 3; c++) color[i * 4 + c] = rgb[c] + 3 * random.normal();
      color[i * 4 + 3] = 255;
    }
  return { color, object, shadow };
}

/** Where a ray enters the block that stands on the table. */
function hitBlock(origin: Vec3, direction: Vec3): { t: number; normal: Vec3 } | undefined {
  let [near, far, axis] = [-Infinity, Infinity, 0];
  for (let k = 0; k < 3; k++) {
    const middle = k === 1 ? HALF[1] : 0;
    const a = (middle - HALF[k] - origin[k]) / direction[k];
    const b = (middle + HALF[k] - origin[k]) / direction[k];
    if (Math.min(a, b) > near) {
      near = Math.min(a, b);
      axis = k;
    }
    far = Math.min(far, Math.max(a, b));
  }
  if (near > far || near < 1e-6) return undefined;
  const normal: Vec3 = [0, 0, 0];
  normal[axis] = -Math.sign(direction[axis]);
  return { t: near, normal };
}

function onBlock(random: Random): Vec3 {
  const p = HALF.map((h, k) => (random.float() * 2 - 1) * h + (k === 1 ? HALF[1] : 0)) as Vec3;
  const face = random.integer(5);
  if (face < 2) p[0] = face === 0 ? HALF[0] : -HALF[0];
  else if (face < 4) p[2] = face === 2 ? HALF[2] : -HALF[2];
  else p[1] = 2 * HALF[1];
  return p;
}

function visible(camera: Camera, p: Vec3): boolean {
  const { x, y, depth } = projectPoint(camera, p);
  if (depth <= 0 || x < 0 || y < 0 || x >= camera.width || y >= camera.height) return false;
  const m = camera.cameraToWorld;
  const eye: Vec3 = [m[12], m[13], m[14]];
  const way = sub(p, eye);
  const distance = Math.hypot(...way);
  const block = hitBlock(eye, scale(way, 1 / distance));
  return !block || block.t > distance - 1e-3;
}

/** Smooth noise from 0 to 1. */
function noise(x: number, y: number, z: number): number {
  const corner = (i: number, j: number, k: number): number => {
    const n = Math.sin(i * 127.1 + j * 311.7 + k * 74.7) * 43758.5453;
    return n - Math.floor(n);
  };
  const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const s = [x - i, y - j, z - k].map((t) => t * t * (3 - 2 * t));
  let sum = 0;
  for (let c = 0; c < 8; c++) {
    const [a, b, d] = [c & 1, (c >> 1) & 1, c >> 2];
    const w = (a ? s[0] : 1 - s[0]) * (b ? s[1] : 1 - s[1]) * (d ? s[2] : 1 - s[2]);
    sum += w * corner(i + a, j + b, k + d);
  }
  return sum;
}
