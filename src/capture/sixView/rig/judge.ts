import type { Warning } from '../../../core/context.js';
import { PlinthError } from '../../../core/errors.js';
import { option, remedy } from '../../../core/remedy.js';
import type { PreparedView } from '../readView.js';
import type { ViewAgreement } from './agreement.js';
import type { RigEstimate } from './estimateRig.js';

/**
 * Fits of depth maps of one object had misfits up to 0.024 (chairs, cups, plates, at fields of view of 15° to 75°) with
 * less than 1 % of any view outside the others' outlines; with one view or two exchanged for another object's 0.1 and
 * more, with 9 % and more outside. Refused is what is bad in both ways.
 */
const DEPTH_REFUSED = 0.05;
const DEPTH_DOUBTFUL = 0.03;
const INSIDE_REFUSED = 0.95;
/** The share of the silhouettes that the hull leaves empty: below 0.001 for one object, above 0.05 for mixtures. */
const EMPTY_REFUSED = 0.05;
const EMPTY_DOUBTFUL = 0.012;

/** Tells the user what to doubt. Throws `CAPTURE_VIEWS_DISAGREE` where the views do not show one object. */
export function judge(
  prepared: readonly PreparedView[],
  estimate: RigEstimate,
  agreement: readonly ViewAgreement[] | undefined,
): Warning[] {
  const { misfit } = estimate;
  const [refused, doubtful] = agreement ? [DEPTH_REFUSED, DEPTH_DOUBTFUL] : [EMPTY_REFUSED, EMPTY_DOUBTFUL];
  const advice =
    'Check that all pictures show the same object, from the six sides that their names say, with one focal ' +
    'length and upright except top and bottom';
  const worst = agreement && [...agreement].sort((p, q) => p.insideOthers - q.insideOthers)[0];
  if (misfit > refused && (worst?.insideOthers ?? 0) < INSIDE_REFUSED) {
    throw new PlinthError('CAPTURE_VIEWS_DISAGREE', {
      found: `The six views do not fit together under any meaning of their names (misfit ${misfit.toFixed(3)})${
        worst
          ? `; ${worst.view} fits worst: ${(100 * (1 - worst.insideOthers)).toFixed(0)} % of it lies where ` +
            'other views show background'
          : ''
      }`,
      expected: `pictures of one object (misfit below ${doubtful}; above ${refused} is refused)`,
      remedy: advice,
      subject: prepared.find((p) => p.file.name === worst?.view)?.file.color,
    });
  }
  const warnings: Warning[] = [];
  if (misfit > doubtful) {
    warnings.push({
      code: 'CAPTURE_VIEWS_DISAGREE',
      message: `The six views agree badly (misfit ${misfit.toFixed(3)}, usually below ${doubtful}).`,
      remedy: `${advice}.`,
    });
  }
  if (estimate.rivals.length > 0) {
    const say = (a: RigEstimate['arrangement']): string =>
      `left = the ${a.left}'s, top turned ${a.topTurn * 90}°, bottom turned ${a.bottomTurn * 90}°`;
    warnings.push({
      code: 'CAPTURE_ARRANGEMENT_AMBIGUOUS',
      message:
        `The object is so symmetric that ${estimate.rivals.length} other ` +
        `meaning${estimate.rivals.length === 1 ? '' : 's'} of the names fit as well as the chosen one ` +
        `(${say(estimate.arrangement)}), for example ${say(estimate.rivals[0].arrangement)}.`,
      remedy: remedy`If texture is on the wrong side, set ${option('left')}, ${option('topTurn')} and ${option('bottomTurn')}.`,
    });
  }
  if (estimate.focalFrom === 'default') {
    const [low, high] = estimate.focalRange ?? [0, 0];
    warnings.push({
      code: 'CAPTURE_FOCAL_ASSUMED',
      message:
        `The ${agreement ? 'pictures' : 'silhouettes'} fit focal lengths of ${low.toFixed(2)} to ` +
        `${high.toFixed(2)} picture widths; ` +
        `${estimate.parameters.focal.toFixed(2)} was assumed.`,
      remedy: remedy`Give ${option('focal')} or ${option('fieldOfView')} if it is known.`,
    });
  } else if (estimate.focalDeviation !== undefined && estimate.focalDeviation > 0.25) {
    warnings.push({
      code: 'CAPTURE_FOCAL_UNCERTAIN',
      message:
        `The pictures hardly determine the focal length (${estimate.parameters.focal.toFixed(2)} picture ` +
        `widths, uncertain by ${(100 * estimate.focalDeviation).toFixed(0)} %).`,
      remedy: remedy`Give ${option('focal')} or ${option('fieldOfView')} if it is known.`,
    });
  }
  for (const { view, least, greatest } of estimate.openDepths ?? []) {
    const percent = (v: number): string => `${(100 * v).toFixed(0)} %`;
    const { name } = prepared[view].file;
    warnings.push({
      code: 'CAPTURE_DEPTH_OPEN',
      message:
        `How deep the depth map of ${name} reaches is not told by the other views, which do not see in there: ` +
        `${percent(least)} to ${percent(greatest)} of the object's size fit as well. Thin walls were assumed, ` +
        'so that hollows are deep.',
      subject: name,
      remedy: remedy`If what ${name} alone sees is too deep, give metric depth and its ${option('depthScale')}.`,
    });
  }
  const apart = prepared.filter((p) => p.alignment && p.alignment.support < 0.7);
  for (const p of apart) {
    warnings.push({
      code: 'CAPTURE_DEPTH_UNLIKE_PICTURE',
      message:
        `Only ${(100 * (p.alignment?.support ?? 0)).toFixed(0)} % of the outline of ${p.file.name}'s depth map ` +
        `has the picture's outline beside it.`,
      subject: p.file.name,
      remedy: 'Check that picture and depth map show the same view.',
    });
  }
  return warnings;
}
