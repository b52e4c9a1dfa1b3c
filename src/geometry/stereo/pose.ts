import { type Camera, worldToCamera } from '../../core/camera.js';
import { multiply } from '../../core/math.js';

/** Words of `Source` in stereo.wgsl. */
export const SOURCE_WORDS = 52;

/**
 * How a source sees points of the reference, as numbers of its own columns: camera axes x right, y down, z forward.
 */
export interface RelativePose {
  /** Columns of the turn from the reference's axes to the source's, 3 × 3. */
  turn: number[];
  shift: number[];
}

/** From camera `a`'s axes to camera `b`'s. */
export function relativePose(a: Camera, b: Camera): RelativePose {
  const m = multiply(worldToCamera(b), a.cameraToWorld);
  // Plinth's cameras have y up and look along −z.
  const sign = [1, -1, -1];
  const turn = Array.from({ length: 9 }, (_, i) => {
    const [column, row] = [Math.floor(i / 3), i % 3];
    return m[column * 4 + row] * sign[column] * sign[row];
  });
  return { turn, shift: [m[12], -m[13], -m[14]] };
}

/** Columns x, y, z and shift from rays times depth to homogeneous pixels of `b`: 16 numbers, each column padded. */
export function projection(a: Camera, b: Camera): number[] {
  const { turn, shift } = relativePose(a, b);
  const columns = [turn.slice(0, 3), turn.slice(3, 6), turn.slice(6, 9), shift];
  return columns.flatMap(([x, y, z]) => [b.fx * x + b.cx * z, b.fy * y + b.cy * z, z, 0]);
}

/** The `Source` structs of a reference's sources. `mapOffsets` are in pixels. */
export function packSources(
  reference: Camera,
  sources: readonly Camera[],
  mapOffsets: readonly number[],
): Float32Array {
  const floats = new Float32Array(Math.max(1, sources.length) * SOURCE_WORDS);
  const words = new Uint32Array(floats.buffer);
  sources.forEach((source, s) => {
    const at = s * SOURCE_WORDS;
    floats.set(projection(reference, source), at);
    floats.set(projection(source, reference), at + 16);
    const { turn } = relativePose(reference, source);
    for (let c = 0; c < 3; c++) floats.set(turn.slice(c * 3, c * 3 + 3), at + 32 + c * 4);
    floats.set([source.fx, source.fy, source.cx, source.cy, source.width, source.height], at + 44);
    words[at + 50] = mapOffsets[s] ?? 0;
  });
  return floats;
}
