import type { Warning } from '../../core/context.js';
import { dot, type Mat4, sub, type Vec3 } from '../../core/math.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { focusPoint } from '../bounds/focus.js';
import { absolutePath, type CaptureFolder } from '../files/captureFolder.js';
import { decodeDepth } from '../images/depth.js';
import type { ResolvedReadOptions } from '../options.js';
import type { StatedView } from './stated.js';

/** Depth this many times nearer or farther than what the cameras look at cannot be meant. */
const IMPLAUSIBLE = 8;
const PLAUSIBLE = 3;
/** Units that depth maps are written in without saying so. */
const UNITS = [1, 0.001, 0.0001, 0.00025];

/**
 * Scene units per stored unit of depth, where the metadata or the options state it; else, where the default of the
 * file's kind puts surfaces far from what the cameras look at and another common unit does not, that unit, with a
 * warning.
 */
export async function depthScaleOf(
  folder: CaptureFolder,
  views: readonly StatedView[],
  beside: readonly { depth?: string }[],
  poses: readonly Mat4[],
  options: ResolvedReadOptions,
  warnings: Warning[],
): Promise<number | undefined> {
  const first = views.findIndex((view, i) => view.depth && beside[i].depth !== undefined);
  if (first < 0) return undefined;
  const stated = views[first].depth?.scale;
  if (stated !== undefined || options.depthScale !== undefined) return stated;
  const expected = distanceToFocus(poses, first);
  const file = await absolutePath(folder, beside[first].depth ?? '');
  const depth = await decodeDepth(file, { maxPixels: options.maxPixels });
  const values = depth.data.filter((v) => v > 0).sort();
  if (values.length === 0 || expected === undefined) return undefined;
  const median = values[values.length >> 1];
  const isNear = (scale: number, factor: number): boolean => {
    const ratio = (median * scale) / expected;
    return ratio < factor && ratio > 1 / factor;
  };
  if (isNear(1, IMPLAUSIBLE)) return undefined;
  const other = UNITS.find((unit) => isNear(unit / depth.unit, PLAUSIBLE));
  if (other === undefined) return undefined;
  warnings.push({
    code: 'CAPTURE_DEPTH_UNIT',
    message:
      'The metadata state no unit of depth, and the usual one of such files puts surfaces at ' +
      `${median.toPrecision(3)} where the cameras look at ${expected.toPrecision(3)}: a step was taken to be ` +
      `${other} scene units.`,
    subject: file,
    remedy: anyOf(step`give depth_unit_scale_factor`, step`set ${option('depthScale')}`),
  });
  return other;
}

function distanceToFocus(poses: readonly Mat4[], index: number): number | undefined {
  const rays = poses.map((m) => ({ origin: [m[12], m[13], m[14]] as Vec3, direction: [-m[8], -m[9], -m[10]] as Vec3 }));
  const focus = focusPoint(rays);
  if (!focus) return undefined;
  const { origin, direction } = rays[index];
  const distance = dot(direction, sub(focus, origin));
  return distance > 0 ? distance : undefined;
}
