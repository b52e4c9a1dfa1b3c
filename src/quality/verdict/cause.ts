import { INVERTED_VIEWS, looksInverted } from '../../capture/masks/polarity.js';
import { mean, median } from '../../core/statistics.js';
import type { ViewQuality } from '../schema.js';
import { type AdviceEvidence, camerasEstimated } from './advice.js';
import { counted, named, percent } from './words.js';

/** One rule: a sentence with the cause and its remedy, or `null` where the evidence does not speak for it. */
type CauseRule = (e: AdviceEvidence, inputs: readonly ViewQuality[]) => string | null;

const share = (views: readonly ViewQuality[], test: (v: ViewQuality) => boolean): number =>
  views.length === 0 ? 0 : views.filter(test).length / views.length;

const coverage = (v: ViewQuality): number => (v.inMask?.pixels ?? 0) / (v.width * v.height);

/** Masks that mark the whole border and leave out the middle. */
const invertedMasks: CauseRule = (_, views) => {
  const inverted = views.filter((v) => v.mask && looksInverted(v.mask.border ?? 0, coverage(v)));
  if (views.length === 0 || inverted.length / views.length < INVERTED_VIEWS) return null;
  return (
    `The masks are the wrong way round: in ${inverted.length} of ${counted(views.length, 'picture')} they mark ` +
    'the border of the frame and leave out its middle. Turn them round, white on the object: --invert-masks, ' +
    '`invertMasks`, or “Masks are the other way round” on the page does it.'
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

/**
 * One or a few views that do not belong. A wrong outline carves all others, so the least overlap alone does not tell
 * which it is: its own colours agree least with what the others make.
 */
const singleCameras: CauseRule = (e) => {
  const views = e.views.filter((v) => v.group !== 'test' && v.mask);
  const explained = views.flatMap((v) => v.colour?.explained ?? []);
  const usual = median(explained);
  // Where nothing fits, what fits least is no culprit.
  if (!explains(views)) return null;
  const isOdd = (v: ViewQuality): boolean => {
    const below = usual - (v.colour?.explained ?? usual);
    return below > ODD.alone || (below > ODD.explained && (v.mask?.iou ?? 1) < ODD.fits);
  };
  const odd = views.filter(isOdd);
  const bad = odd.length > 0 ? odd : views.filter((v) => (v.mask?.iou ?? 1) < 0.9);
  if (bad.length === 0 || bad.length > 0.25 * views.length) return null;
  const names = named(bad.map((v) => v.name));
  if (bad.length === 1) {
    return (
      `1 camera does not fit the others (${names}): take this picture out, make sure that it is not mirrored or ` +
      'turned, or solve the cameras anew.'
    );
  }
  return (
    `${bad.length} cameras do not fit the others (${names}): make sure that their pictures were not exchanged, take ` +
    'them out, or solve the cameras anew.'
  );
};

/**
 * How far below the usual a view's explained variation is where it is of something else: by itself (objects that are
 * round about an axis have the same outline from all sides), and where its outline does not fit either.
 */
const ODD = { alone: 1, explained: 0.6, fits: 0.93 } as const;

/** Renders that lie to one side of the pictures everywhere: the outlines are shifted in the pictures. */
const shiftedMasks: CauseRule = (_, views) => {
  const shifts = views.flatMap((v) => (v.mask?.shift ? [v.mask.shift] : []));
  if (shifts.length < 3 || shifts.length < 0.8 * views.length) return null;
  const [x, y] = [0, 1].map((k) => mean(shifts.map((s) => s[k])));
  const length = Math.hypot(x, y);
  const longer = Math.max(...views.map((v) => Math.max(v.width, v.height)));
  // What a carved outline loses adds a shift of its own.
  const agree = shifts.filter((s) => s[0] * x + s[1] * y > 0).length;
  if (length < SHIFTED * longer || agree < 0.8 * shifts.length || !explains(views)) return null;
  const way = Math.abs(x) > Math.abs(y) ? (x < 0 ? 'left' : 'right') : y < 0 ? 'above' : 'below';
  const where = way === 'left' || way === 'right' ? `to the ${way} of` : way;
  return (
    `In all pictures alike the object lies about ${length.toFixed(1)} pixels ${where} its mask: masks or principal ` +
    'points (cx, cy) are shifted. Make the masks of these very pictures, at their size, and check cx and cy.'
  );
};

/** Share of the longer side by which all renders have to be off in one direction. */
const SHIFTED = 0.004;

/** Whether renders and pictures have so much in common that they are of the same object from the same side. */
function explains(views: readonly ViewQuality[]): boolean {
  const explained = views.flatMap((v) => v.colour?.explained ?? []);
  return explained.length === 0 || mean(explained) > 0.15;
}

/** Some outlines whole and the others cut: cameras of two solves, one of which is smaller. */
const twoSolves: CauseRule = (_, views) => {
  const missing = views.flatMap((v) => v.mask?.missing ?? []).toSorted((a, b) => a - b);
  const gaps = missing.slice(1).map((v, i) => v - missing[i]);
  const widest = Math.max(...gaps);
  const whole = gaps.indexOf(widest) + 1;
  const cut = missing.length - whole;
  if (missing.length < 6 || widest < 0.1 || Math.min(whole, cut) < 0.2 * missing.length) return null;
  if (missing[whole - 1] > 0.5 * missing[whole]) return null;
  return (
    `The cameras fall into two groups: the outlines of ${counted(whole, 'picture')} are nearly whole and those of ${cut} ` +
    'cut short. Cameras of two solves, of different scale or origin, were probably put together: use those of one.'
  );
};

/** Every outline loses something when all views together carve with a wrong lens or wrong poses. */
const allCameras: CauseRule = (e, views) => {
  const lacking = share(views, (v) => v.mask !== null && v.mask.missing > 0.01);
  const blurred = views.some((v) => v.colour) && mean(views.flatMap((v) => v.colour?.sharpness ?? [])) < 0.5;
  if (lacking < 0.5 && !blurred) return null;
  if (camerasEstimated(e.capture.estimated)) {
    return 'The estimated cameras do not fit all pictures: give the focal length if you know it, or more views.';
  }
  if (!explains(views)) {
    return (
      'Pictures and cameras do not belong together: check that every picture has its own camera (order and names), ' +
      'that neither pictures nor cameras are mirrored, and which way the axes of the cameras point.'
    );
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
  twoSolves,
  shiftedMasks,
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
