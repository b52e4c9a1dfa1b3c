import { INVERTED_VIEWS, looksInverted } from '../../capture/masks/polarity.js';
import type { ViewQuality } from '../schema.js';
import { type AdviceEvidence, camerasEstimated } from './advice.js';
import { counted, percent } from './words.js';

/** One rule: a sentence with the cause and its remedy, or `null` where the evidence does not speak for it. */
type CauseRule = (e: AdviceEvidence, inputs: readonly ViewQuality[]) => string | null;

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
const share = (views: readonly ViewQuality[], test: (v: ViewQuality) => boolean): number =>
  views.length === 0 ? 0 : views.filter(test).length / views.length;

const coverage = (v: ViewQuality): number => (v.inMask?.pixels ?? 0) / (v.width * v.height);

/** Masks that mark the whole border and leave out the middle. */
const invertedMasks: CauseRule = (_, views) => {
  const inverted = views.filter((v) => v.mask && looksInverted(v.mask.border ?? 0, coverage(v)));
  if (views.length === 0 || inverted.length / views.length < INVERTED_VIEWS) return null;
  return (
    `The masks are the wrong way round: in ${inverted.length} of ${counted(views.length, 'picture')} they mark ` +
    'the border of the frame and leave out its middle. Turn them round, white on the object.'
  );
};

/** Whole-frame captures: without masks background becomes surface. */
const missingMasks: CauseRule = (e) =>
  e.capture.masks === 'none'
    ? 'The pictures have no masks, so background took part in the model: cut the object out, or photograph it ' +
      'before a plain background.'
    : null;

const fewPictures: CauseRule = (e) =>
  e.capture.views.input < 4
    ? `Only ${counted(e.capture.views.input, 'picture')} went into the model: take at least six, better twenty ` +
      'or more, from all around.'
    : null;

/** Depth far off the surface while outlines fit: a wrong unit or scale. */
const depthUnit: CauseRule = (e) => {
  const { depthRmse, maskIou } = e.totals.input ?? {};
  if (!depthRmse) return null;
  const { min, max } = e.capture.bounds;
  const relative = depthRmse.mean / Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
  if (relative < 0.05 || (maskIou && maskIou.mean < 0.9)) return null;
  return (
    `The depth maps disagree with the cameras by ${percent(relative)} of the object’s diagonal: check the unit ` +
    'of depth and whether it belongs to these pictures.'
  );
};

/** One or a few views that do not belong: the others are fine. */
const singleCameras: CauseRule = (_, views) => {
  const bad = views.filter((v) => v.mask && v.mask.iou < 0.9);
  if (bad.length === 0 || bad.length > 0.25 * views.length) return null;
  return `${counted(bad.length, 'camera does', 'cameras do')} not fit the others (${bad
    .slice(0, 3)
    .map((v) => v.name)
    .join(', ')}): take ${bad.length === 1 ? 'this picture' : 'these pictures'} out or solve the cameras anew.`;
};

/** Every outline loses something when all views together carve with a wrong lens or wrong poses. */
const allCameras: CauseRule = (e, views) => {
  const lacking = share(views, (v) => v.mask !== null && v.mask.missing > 0.02);
  const blurred = views.some((v) => v.colour) && mean(views.flatMap((v) => v.colour?.sharpness ?? [])) < 0.5;
  if (lacking < 0.5 && !blurred) return null;
  if (camerasEstimated(e.capture.estimated)) {
    return 'The estimated cameras do not fit all pictures: give the focal length if you know it, or more views.';
  }
  return (
    'The cameras do not fit the pictures, all of them alike: check focal length, distortion and poses, and ' +
    'that pictures and cameras belong to the same solve.'
  );
};

const unseenSurface: CauseRule = (e) => {
  const { unseenShare } = e.texture;
  if (unseenShare === null || unseenShare < 0.3) return null;
  return `Whole sides were never photographed (${percent(unseenShare)} of the surface): add pictures from there.`;
};

/** From the most telling to the most general. */
const RULES: readonly CauseRule[] = [
  invertedMasks,
  fewPictures,
  missingMasks,
  depthUnit,
  singleCameras,
  allCameras,
  unseenSurface,
];

/**
 * The likeliest single cause of a result that is not faithful, as sentences for people; `null` where nothing stands
 * out.
 */
export function likelyCause(evidence: AdviceEvidence): string | null {
  const inputs = evidence.views.filter((v) => v.group === 'input');
  for (const rule of RULES) {
    const sentence = rule(evidence, inputs);
    if (sentence !== null) return sentence;
  }
  return null;
}
