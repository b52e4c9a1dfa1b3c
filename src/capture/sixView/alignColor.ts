import { solveSymmetric } from '../../core/linearSolve.js';
import { signedDistance } from '../masks/distance.js';
import { threshold } from '../masks/morphology.js';

/**
 * Where the colour picture shows what the depth map shows: position_colour = scale · position_depth + shift, from the
 * centres, in widths.
 */
export interface ColorAlignment {
  scale: number;
  shiftX: number;
  shiftY: number;
  /** Median distance between the two outlines after alignment, in widths. */
  residual: number;
  /** Share of the depth map's outline that has the picture's outline within 0.4 % of the width. */
  support: number;
}

/** A binary mask, 1 inside. */
export interface Region {
  inside: Uint8Array;
  width: number;
  height: number;
}

const CELLS = 512;
const SIGMAS = [0.012, 0.006, 0.003, 0.0015];

/** A region of the depth map's frame in the frame of the colour picture, at a width of `width` pixels. */
export function warpToColor(depth: Region, alignment: ColorAlignment, width: number, height: number): Region {
  const inside = new Uint8Array(width * height);
  const { scale, shiftX, shiftY } = alignment;
  for (let y = 0; y < height; y++) {
    const v = Math.floor((((y + 0.5 - height / 2) / width - shiftY) / scale) * depth.width + depth.height / 2);
    if (v < 0 || v >= depth.height) continue;
    for (let x = 0; x < width; x++) {
      const u = Math.floor((((x + 0.5) / width - 0.5 - shiftX) / scale + 0.5) * depth.width);
      if (u >= 0 && u < depth.width && depth.inside[v * depth.width + u]) inside[y * width + x] = 1;
    }
  }
  return { inside, width, height };
}

/**
 * Aligns the outlines of a colour picture and of its depth map by a scale and a shift, robustly: parts of either may be
 * wrong.
 */
export function alignColor(color: Region, depth: Region): ColorAlignment {
  const { distance, width, height } = distanceField(color);
  const points = outline(depth);
  const n = points.length / 2;
  let scale = 1;
  let shiftX = 0;
  let shiftY = 0;
  const sample = (x: number, y: number): { d: number; gx: number; gy: number } => {
    const u = Math.min(width - 1.01, Math.max(0, x * width + width / 2 - 0.5));
    const v = Math.min(height - 1.01, Math.max(0, y * width + height / 2 - 0.5));
    const x0 = Math.floor(u);
    const y0 = Math.floor(v);
    const fx = u - x0;
    const fy = v - y0;
    const c = y0 * width + x0;
    const [a, b, e, f] = [distance[c], distance[c + 1], distance[c + width], distance[c + width + 1]];
    const top = a * (1 - fx) + b * fx;
    const bottom = e * (1 - fx) + f * fx;
    return {
      d: (top * (1 - fy) + bottom * fy) / width,
      gx: (b - a) * (1 - fy) + (f - e) * fy,
      gy: bottom - top,
    };
  };
  for (const sigma of SIGMAS)
    for (let step = 0; step < 8; step++) {
      const h = new Float64Array(9);
      const g = new Float64Array(3);
      for (let k = 0; k < n; k++) {
        const px = points[2 * k];
        const py = points[2 * k + 1];
        const { d, gx, gy } = sample(scale * px + shiftX, scale * py + shiftY);
        const w = 1 / (1 + (d / sigma) ** 2) ** 2;
        const row = [gx * px + gy * py, gx, gy];
        for (let r = 0; r < 3; r++) {
          g[r] -= w * row[r] * d;
          for (let c = 0; c < 3; c++) h[r * 3 + c] += w * row[r] * row[c];
        }
      }
      // Scale and shift stay near none where the outline says nothing about them.
      h[0] += 1e-4 * n;
      g[0] -= 1e-4 * n * (scale - 1);
      h[4] += 1e-5 * n;
      h[8] += 1e-5 * n;
      const x = solveSymmetric(h, g);
      if (!x) break;
      scale = Math.max(0.9, Math.min(1.1, scale + x[0]));
      shiftX = Math.max(-0.1, Math.min(0.1, shiftX + x[1]));
      shiftY = Math.max(-0.1, Math.min(0.1, shiftY + x[2]));
      if (Math.abs(x[0]) + Math.abs(x[1]) + Math.abs(x[2]) < 1e-6) break;
    }
  const errors = new Float64Array(n);
  for (let k = 0; k < n; k++)
    errors[k] = Math.abs(sample(scale * points[2 * k] + shiftX, scale * points[2 * k + 1] + shiftY).d);
  errors.sort();
  return {
    scale,
    shiftX,
    shiftY,
    residual: n > 0 ? errors[n >> 1] : 0,
    support: n > 0 ? errors.filter((e) => e < 0.004).length / n : 0,
  };
}

/** Signed distance to the outline in cells, with the share of each cell that is covered deciding within a cell. */
function distanceField(region: Region): {
  distance: Float32Array;
  width: number;
  height: number;
} {
  const longer = Math.max(region.width, region.height);
  const factor = Math.max(1, Math.round(longer / CELLS));
  const width = Math.floor(region.width / factor);
  const height = Math.floor(region.height / factor);
  const cover = new Float32Array(width * height);
  for (let y = 0; y < height * factor; y++) {
    const row = Math.floor(y / factor) * width;
    for (let x = 0; x < width * factor; x++)
      if (region.inside[y * region.width + x]) cover[row + Math.floor(x / factor)]++;
  }
  const full = factor * factor;
  const inside = threshold(cover, full / 2);
  const distance = signedDistance(inside, width, height);
  for (let i = 0; i < distance.length; i++) if (Math.abs(distance[i]) < 0.75) distance[i] = cover[i] / full - 0.5;
  return { distance, width, height };
}

/**
 * Points between the pixels inside and outside a depth map, x y interleaved, from the centre in widths; at most about
 * 4000.
 */
function outline(region: Region): Float64Array {
  const { width, height, inside } = region;
  const out: number[] = [];
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      if (!inside[i]) continue;
      for (let side = 0; side < 4; side++) {
        const dx = side === 0 ? 1 : side === 1 ? -1 : 0;
        const dy = side === 2 ? 1 : side === 3 ? -1 : 0;
        if (inside[i + dy * width + dx]) continue;
        out.push((x + 0.5 + dx / 2 - width / 2) / width, (y + 0.5 + dy / 2 - height / 2) / width);
      }
    }
  const n = out.length / 2;
  const stride = Math.max(1, Math.ceil(n / 4000));
  const chosen = new Float64Array(2 * Math.ceil(n / stride));
  for (let k = 0, m = 0; k < n; k += stride, m++) {
    chosen[2 * m] = out[2 * k];
    chosen[2 * m + 1] = out[2 * k + 1];
  }
  return chosen;
}
