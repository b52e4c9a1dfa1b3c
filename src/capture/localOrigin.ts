import type { Warning } from '../core/context.js';
import { type Mat4, multiply, type Vec3 } from '../core/math.js';
import type { ReadSources } from './formats/sources.js';

/**
 * Distance from the origin, in spreads of the cameras, beyond which positions are about an origin of their own. Beyond
 * it 32-bit numbers, in which kernels compute, resolve less than a thousandth of a pixel of a picture no more.
 */
const FAR = 256;

const shiftBy = ([x, y, z]: Vec3): Mat4 => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -x, -y, -z, 1];

/**
 * Moves a capture that stands far from the origin of its frame (surveyed coordinates) to one near its cameras, in whole
 * units; the shift becomes part of `inputToWorld`. Others are returned as they are.
 */
export function aboutLocalOrigin<T extends Pick<ReadSources, 'sources' | 'inputToWorld' | 'points' | 'leftOut'>>(
  read: T,
  warnings: Warning[],
): T {
  const positions = read.sources.map(({ cameraToWorld: m }): Vec3 => [m[12], m[13], m[14]]);
  const axes = [0, 1, 2].map((k) => positions.map((p) => p[k]));
  const centre = axes.map((values) => values.reduce((sum, v) => sum + v, 0) / values.length);
  const spread = Math.hypot(...axes.map((values) => Math.max(...values) - Math.min(...values)));
  if (!(Math.hypot(...centre) > FAR * spread) || !(spread > 0)) return read;
  // Whole units are written and taken off exactly.
  const origin = centre.map((v) => (spread > 2 ? Math.round(v) : v)) as Vec3;
  const shift = shiftBy(origin);
  warnings.push({
    code: 'CAPTURE_FAR_FROM_ORIGIN',
    message:
      `The cameras stand ${Math.hypot(...centre).toPrecision(3)} units from the origin, ` +
      `${(Math.hypot(...centre) / spread).toPrecision(2)} times as far as they stand apart: the work is done ` +
      `about ${origin.join(', ')} (with +Y up).`,
    remedy:
      'Nothing needs to be done: capture.inputToWorld in quality.json has the shift, and so have the nodes ' +
      'of glTF and USD files.',
  });
  return {
    ...read,
    inputToWorld: multiply(shift, read.inputToWorld),
    sources: read.sources.map((source) => ({
      ...source,
      cameraToWorld: multiply(shift, source.cameraToWorld),
      depth: source.depth?.camera
        ? {
            ...source.depth,
            camera: { ...source.depth.camera, cameraToWorld: multiply(shift, source.depth.camera.cameraToWorld) },
          }
        : source.depth,
    })),
    leftOut: read.leftOut?.map((part) =>
      part.cameraToWorld ? { ...part, cameraToWorld: multiply(shift, part.cameraToWorld) } : part,
    ),
    points: read.points?.map((v, i) => v - origin[i % 3]),
  };
}
