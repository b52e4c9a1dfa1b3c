import { pause } from '../../../core/pause.js';
import { cubeDirection } from '../../forward/environmentLight.js';

/** Steps of roughness with a filtered map each, 0 … 1; the same as in `AssetRenderer`. */
export const ROUGHNESS_STEPS = 6;
const IRRADIANCE_SIZE = 8;
/**
 * A square of the light is taken as one where it is smaller, seen from the lobe's axis, than this share of the lobe's
 * width + distance: by map. Wide lobes have few texels and can afford short shares; they are the ones that smooth
 * surfaces show errors of.
 */
const OPENINGS = [0, 0.5, 0.4, 0.2, 0.2, 0.2, 0.12];
/** Entries below this share of the whole are dropped. */
const NEGLIGIBLE = 2e-5;
/** Rows between two turns of the event loop. */
const CHUNK = 256;

/**
 * Where the filtered maps of a light of face size S are, in texels. Maps 0…5 by roughness, then irradiance; borders
 * included.
 */
export interface LightLayout {
  size: number;
  /** Face sizes without borders. */
  sizes: number[];
  offsets: number[];
  /** Texels in all maps. */
  texelCount: number;
  /** First texel of each level of the pyramid of radiance, and its size in all. */
  pyramid: number[];
  pyramidCount: number;
}

/** Rows of a sparse matrix in compressed form: row r has entries `starts[r] … starts[r + 1]`. */
export interface SparseMatrix {
  starts: Uint32Array;
  columns: Uint32Array;
  weights: Float32Array;
}

export function lightLayout(size: number): LightLayout {
  if (size < 16 || size > 64 || (size & (size - 1)) !== 0) {
    throw new RangeError(`the light's face size is a power of two in 16…64, not ${size}`);
  }
  const small = Math.max(8, size / 4);
  const sizes = [size, size, Math.max(8, size / 2), small, small, small, IRRADIANCE_SIZE];
  const offsets: number[] = [];
  let texelCount = 0;
  for (const s of sizes) {
    offsets.push(texelCount);
    texelCount += 6 * (s + 2) ** 2;
  }
  const pyramid: number[] = [];
  let pyramidCount = 0;
  for (let s = size; s >= 1; s /= 2) {
    pyramid.push(pyramidCount);
    pyramidCount += 6 * s * s;
  }
  return { size, sizes, offsets, texelCount, pyramid, pyramidCount };
}

/** The face and texel that a direction falls on. */
export function cubeTexel(d: readonly number[], size: number): { face: number; x: number; y: number } {
  const [ax, ay, az] = d.map(Math.abs);
  const face = ax >= ay && ax >= az ? (d[0] > 0 ? 0 : 1) : ay >= az ? (d[1] > 0 ? 2 : 3) : d[2] > 0 ? 4 : 5;
  const major = Math.max(ax, ay, az);
  const s = [-d[2], d[2], d[0], d[0], d[0], -d[0]][face] / major;
  const t = [-d[1], -d[1], d[2], -d[2], -d[1], -d[1]][face] / major;
  const at = (v: number) => Math.min(size - 1, Math.max(0, Math.floor(((v + 1) / 2) * size)));
  return { face, x: at(s), y: at(t) };
}

/**
 * The matrix from the pyramid of radiance (mean colours of ever larger squares of texels) to all filtered maps. Each
 * filtered texel is the mean of radiance under its lobe: GGX by the cosine for a view along the normal (Karis 2013), or
 * the cosine alone. Far from the lobe's axis whole squares stand for their texels, so that rows stay short.
 */
export async function buildLightFilter(layout: LightLayout): Promise<SparseMatrix> {
  const { size, sizes, offsets, texelCount } = layout;
  const lobe = new LobeIntegrator(layout);
  const starts = new Uint32Array(texelCount + 1);
  const columns: number[] = [];
  const weights: number[] = [];
  let rows = 0;
  for (let map = 0; map < sizes.length; map++) {
    const s = sizes[map];
    const known = new Map<number, { columns: number[]; weights: number[] }>();
    for (let face = 0; face < 6; face++) {
      for (let y = -1; y <= s; y++) {
        for (let x = -1; x <= s; x++) {
          const texel =
            x >= 0 && y >= 0 && x < s && y < s ? { face, x, y } : cubeTexel(cubeDirection(face, x, y, s), s);
          const key = (texel.face * s + texel.y) * s + texel.x;
          let row = known.get(key);
          if (!row) {
            row =
              map === 0
                ? { columns: [(texel.face * size + texel.y) * size + texel.x], weights: [1] }
                : lobe.row(cubeDirection(texel.face, texel.x, texel.y, s), map);
            known.set(key, row);
          }
          for (let i = 0; i < row.columns.length; i++) {
            columns.push(row.columns[i]);
            weights.push(row.weights[i]);
          }
          starts[offsets[map] + (face * (s + 2) + y + 1) * (s + 2) + x + 2] = columns.length;
          if (map > 0 && ++rows % CHUNK === 0) await pause();
        }
      }
    }
  }
  return { starts, columns: Uint32Array.from(columns), weights: Float32Array.from(weights) };
}

/** Swaps rows and columns. */
export function transposeMatrix({ starts, columns, weights }: SparseMatrix, columnCount: number): SparseMatrix {
  const out = {
    starts: new Uint32Array(columnCount + 1),
    columns: new Uint32Array(columns.length),
    weights: new Float32Array(columns.length),
  };
  for (const c of columns) out.starts[c + 1]++;
  for (let c = 0; c < columnCount; c++) out.starts[c + 1] += out.starts[c];
  const next = out.starts.slice(0, columnCount);
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let i = starts[row]; i < starts[row + 1]; i++) {
      const at = next[columns[i]]++;
      out.columns[at] = row;
      out.weights[at] = weights[i];
    }
  }
  return out;
}

/** Integrates lobes over the squares of a cube map's pyramid. */
class LobeIntegrator {
  private readonly layout: LightLayout;
  /** Middle direction and solid angle of each square of the pyramid. */
  private readonly squares: Float64Array;

  constructor(layout: LightLayout) {
    this.layout = layout;
    this.squares = new Float64Array(layout.pyramidCount * 4);
    layout.pyramid.forEach((offset, level) => {
      const s = layout.size >> level;
      for (let i = 0; i < 6 * s * s; i++) {
        const [x, y] = [i % s, Math.floor(i / s) % s];
        this.squares.set([...cubeDirection(Math.floor(i / (s * s)), x, y, s), solidAngle(x, y, s)], (offset + i) * 4);
      }
    });
  }

  /** @param map 1…5: GGX lobe of roughness map / 5; 6: the cosine alone */
  row(axis: readonly number[], map: number): { columns: number[]; weights: number[] } {
    const { squares, layout } = this;
    const { size, pyramid } = layout;
    const cosineAlone = map >= ROUGHNESS_STEPS;
    const alpha = cosineAlone ? 1 : (map / (ROUGHNESS_STEPS - 1)) ** 2;
    const columns: number[] = [];
    const weights: number[] = [];
    let sum = 0;
    const cosineTo = (at: number) =>
      axis[0] * squares[at * 4] + axis[1] * squares[at * 4 + 1] + axis[2] * squares[at * 4 + 2];
    const childrenOf = (level: number, i: number): number[] => {
      const s = size >> level;
      const first = Math.floor(i / s) * 4 * s + (i % s) * 2;
      return [first, first + 1, first + 2 * s, first + 2 * s + 1];
    };
    /** The lobe's share in a square, from its parts `depth` levels below. */
    const share = (level: number, i: number, depth: number): number => {
      if (depth > 0 && level > 0) {
        return childrenOf(level, i).reduce((total, child) => total + share(level - 1, child, depth - 1), 0);
      }
      const at = pyramid[level] + i;
      const nl = cosineTo(at);
      if (nl <= 0) return 0;
      const q = ((1 + nl) / 2) * (alpha * alpha - 1) + 1;
      return (nl * squares[at * 4 + 3]) / (cosineAlone ? 1 : q * q);
    };
    const visit = (level: number, i: number) => {
      const nl = cosineTo(pyramid[level] + i);
      const extent = Math.PI / 2 / (size >> level);
      if (nl < -extent) return;
      if (level > 0 && extent >= OPENINGS[map] * (alpha + Math.acos(Math.min(1, Math.max(-1, nl))))) {
        for (const child of childrenOf(level, i)) visit(level - 1, child);
        return;
      }
      const weight = share(level, i, 1);
      if (weight === 0) return;
      columns.push(pyramid[level] + i);
      weights.push(weight);
      sum += weight;
    };
    for (let face = 0; face < 6; face++) visit(pyramid.length - 1, face);
    const kept = columns.map((_, k) => k).filter((k) => weights[k] > NEGLIGIBLE * sum);
    const keptSum = kept.reduce((total, k) => total + weights[k], 0);
    return { columns: kept.map((k) => columns[k]), weights: kept.map((k) => weights[k] / keptSum) };
  }
}

/** Exact solid angle of texel (x, y) of a face of s × s texels. */
function solidAngle(x: number, y: number, s: number): number {
  const corner = (i: number, j: number) => {
    const [u, v] = [(i / s) * 2 - 1, (j / s) * 2 - 1];
    return Math.atan2(u * v, Math.hypot(u, v, 1));
  };
  return corner(x + 1, y + 1) - corner(x, y + 1) - corner(x + 1, y) + corner(x, y);
}
