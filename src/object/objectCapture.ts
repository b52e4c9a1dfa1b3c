import { type BoundsInput, findBounds } from '../capture/bounds/findBounds.js';
import type { Capture, LoadOptions, View } from '../capture/capture.js';
import { areaDownscale } from '../capture/images/resample.js';
import { applySoftMask } from '../capture/masks/cleanEdge.js';
import { chamferDistance } from '../capture/masks/morphology.js';
import { softEdge } from '../capture/masks/softEdge.js';
import { surveyView } from '../capture/survey.js';
import type { Bounds } from '../core/bounds.js';
import type { Camera } from '../core/camera.js';
import type { Warning } from '../core/context.js';
import { PlinthError } from '../core/errors.js';
import type { ColorImage } from '../core/image.js';
import { identity, type Mat4, multiply, transformPoint } from '../core/math.js';
import type { FoundObject, ObjectMask } from './findObject.js';
import { boxOf, LEAST_AGREEMENT, objectWarnings } from './objectWarnings.js';

/** Warnings of a capture without masks that say nothing of one with them. */
export const MENDED_BY_MASKS: readonly string[] = ['CAPTURE_NO_MASKS', 'CAPTURE_BOUNDS_AMONG_CAMERAS'];

/** The capture with masks that were found, and the bounds that follow from them. */
export async function objectCapture(capture: Capture, found: FoundObject, signal?: AbortSignal): Promise<Capture> {
  const turned = turnedCapture(capture, found.turn);
  const views = turned.views.map((view, i) => maskedView(view, found.masks[i]));
  const surveys = found.masks.map((mask) => surveyView(opaque(mask)));
  const kept = capture.warnings.filter(({ code }) => !MENDED_BY_MASKS.includes(code));
  const bounds = await boundsOf({ views, surveys, hasMasks: true, signal }, found);
  return {
    ...turned,
    views,
    masks: 'object',
    bounds: aboveGround(bounds.bounds, found),
    warnings: [...kept, ...objectWarnings(found), ...bounds.warnings],
    estimated: { ...capture.estimated, object: objectReport(found) },
    dispose: () => capture.dispose(),
  };
}

/** The capture in a world that is turned by a rotation. */
function turnedCapture(capture: Capture, turn: Mat4): Capture {
  if (turn.every((v, i) => v === identity()[i])) return capture;
  const turned = (camera: Camera): Camera => ({ ...camera, cameraToWorld: multiply(turn, camera.cameraToWorld) });
  const positions = new Float64Array(capture.points?.positions ?? []);
  for (let i = 0; i < positions.length; i += 3)
    positions.set(transformPoint(turn, [positions[i], positions[i + 1], positions[i + 2]]), i);
  return {
    ...capture,
    views: capture.views.map((view) => ({
      name: view.name,
      source: view.source,
      split: view.split,
      camera: turned(view.camera),
      depth: view.depth && { ...view.depth, camera: turned(view.depth.camera) },
      loadColor: (options) => view.loadColor(options),
    })),
    points: capture.points && { ...capture.points, positions },
    inputToWorld: multiply(turn, capture.inputToWorld),
  };
}

/** Cosine of the slope up to which the ground is level. */
const LEVEL = Math.cos((2 * Math.PI) / 180);

/** Nothing of the object is below what it stands on, though outlines seen from above allow it. */
function aboveGround({ min, max }: Bounds, { place, turn }: FoundObject): Bounds {
  const frame = multiply(turn, place.frame);
  // Rough ground gives way.
  const floor = Math.min(0, place.box.min[1]);
  const ground = frame[13] + floor - GROUND_MARGIN * (max[1] - min[1]);
  if (!place.stands || frame[5] < LEVEL || ground >= max[1]) return { min, max };
  return { min: [min[0], Math.max(min[1], ground), min[2]], max };
}

const GROUND_MARGIN = 0.004;

/** What was found of the object. JSON-serialisable. */
export interface ObjectReport {
  /** Whether a plane was found that it stands on. */
  stands: boolean;
  masks: { view: string; coverage: number; agreement: number; code?: string }[];
}

function objectReport({ place, masks }: FoundObject): ObjectReport {
  const round = (v: number): number => Math.round(v * 1e4) / 1e4;
  return {
    stands: place.stands,
    masks: masks.map(({ name, mask, agreement }) => ({
      view: name,
      coverage: round(mask.reduce((sum, v) => sum + (v ? 1 : 0), 0) / mask.length),
      agreement: round(agreement),
      ...(agreement < LEAST_AGREEMENT && { code: 'PHOTO_MASK_UNSURE' }),
    })),
  };
}

/** The bounds by the masks; by the box that was searched where masks contradict each other too much for that. */
async function boundsOf(
  input: BoundsInput,
  { place, turn }: FoundObject,
): Promise<{ bounds: Bounds; warnings: readonly Warning[] }> {
  try {
    return await findBounds(input);
  } catch (error) {
    if (!(error instanceof PlinthError) || !error.code.startsWith('CAPTURE_')) throw error;
    return { bounds: boxOf(multiply(turn, place.frame), place.box, 0), warnings: [] };
  }
}

function opaque({ width, height, mask }: ObjectMask): ColorImage {
  const data = new Uint8ClampedArray(width * height * 4);
  mask.forEach((v, i) => {
    data[i * 4 + 3] = v;
  });
  return { width, height, data };
}

/** A view whose alpha is the mask, with a soft edge at the size that is asked for. */
function maskedView(view: View, { width, height, mask }: ObjectMask): View {
  const loadColor = async (options?: LoadOptions): Promise<ColorImage> => {
    const image = await view.loadColor(options);
    if (image.width < width) {
      applySoftMask(image, shrunk(width, height, mask, image));
      return image;
    }
    const work = areaDownscale(image, width, height);
    const inside = mask.map((v) => (v ? 1 : 0));
    const soft = softEdge(image, work, inside, chamferDistance(inside, width, height));
    applySoftMask(image, soft);
    return image;
  };
  return { name: view.name, source: view.source, camera: view.camera, split: view.split, depth: view.depth, loadColor };
}

/** The mask at a smaller size, where a pixel has the share of it that is inside. */
function shrunk(width: number, height: number, mask: Uint8Array, to: ColorImage): Uint8Array {
  if (to.width === width && to.height === height) return mask;
  const small = areaDownscale(opaque({ width, height, mask, name: '', agreement: 1 }), to.width, to.height);
  return Uint8Array.from({ length: to.width * to.height }, (_, i) => small.data[i * 4 + 3]);
}
