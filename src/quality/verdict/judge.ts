import { mean } from '../../core/statistics.js';
import type { Limit, QualityStatus, ViewQuality } from '../schema.js';
import { type AdviceEvidence, camerasEstimated } from './advice.js';
import { likelyCause } from './cause.js';
import { decibel, percent } from './words.js';

/** A bound: `normal` needs a value as good as the first, `warning` as good as the second. */
type Floors = readonly [normal: number, warning: number];

/**
 * Evidence besides PSNR and SSIM over the whole frame, which a large plain background or a pale object can hold up
 * while the model is wrong. Chosen with room on both sides: captures that come back well stay clear of the first
 * figure, wrong ones of the kinds in `judge.test.ts` do not.
 */
export const JUDGEMENT_LIMITS = {
  /** Mean IoU of the silhouettes of the input views. */
  silhouettes: [0.97, 0.8],
  /**
   * Mean share of the pictures' masks that the renders leave out, where the cameras were given. Outlines carve: with
   * cameras that do not fit them, every view loses some of its object to the others, and none gains. Captures that fit
   * lose 0.000 to 0.013; a focal length that is 15 % off 0.017.
   */
  carved: [0.015, 1],
  /**
   * Least IoU of a view, which of the others it does not fit: 0.93 and more where all fit. One view alone makes no
   * failure.
   */
  misfit: [0.85, 0],
  /** Mean PSNR within the mask, dB. */
  inMask: [18, 13],
  /** Mean share of the pictures' own variation that the renders explain. */
  explained: [0.4, 0.1],
  /**
   * Share of the surface that no picture shows. The hollow of a vase alone, of which six views see the rim, is 0.38.
   */
  unseen: [0.45, 0.7],
  /** Separate parts, where other evidence is weak as well: alone they may be what the object is. */
  parts: [8, 40],
} as const satisfies Record<string, Floors>;

export interface Judgement {
  status: QualityStatus;
  /** The gravest first. Empty where PSNR and SSIM alone decide. */
  limits: Limit[];
  likelyCause: string | null;
}

const ORDER: readonly QualityStatus[] = ['normal', 'warning', 'failure'];
const worse = (a: QualityStatus, b: QualityStatus): QualityStatus => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);

/**
 * The status that all evidence together allows, what bounds it, and the likeliest single cause where it is not
 * `normal`.
 */
export function judge(evidence: AdviceEvidence): Judgement {
  const limits = boundsOf(evidence)
    .filter((limit) => limit.status !== 'normal')
    .sort((a, b) => ORDER.indexOf(b.status) - ORDER.indexOf(a.status));
  const status = limits.reduce((sum, limit) => worse(sum, limit.status), evidence.status);
  return { status, limits, likelyCause: status === 'normal' ? null : likelyCause(evidence) };
}

function boundsOf(e: AdviceEvidence): Limit[] {
  const group = e.totals.input ?? e.totals.heldOut ?? e.totals.test;
  const views = e.views.filter((v) => v.group === (e.totals.input ? 'input' : e.totals.heldOut ? 'heldOut' : 'test'));
  const limits: Limit[] = [];
  const bound = (
    code: keyof typeof JUDGEMENT_LIMITS,
    value: number | null | undefined,
    message: (v: number) => string,
  ) => {
    if (value === null || value === undefined) return;
    const [normal, warning] = JUDGEMENT_LIMITS[code];
    const good = (floor: number) => (normal > warning ? value >= floor : value <= floor);
    limits.push({
      code,
      status: good(normal) ? 'normal' : good(warning) ? 'warning' : 'failure',
      message: message(value),
    });
  };
  bound('silhouettes', group?.maskIou?.mean, (v) => `silhouettes overlap by ${v.toFixed(2)} only`);
  // Where outlines overlap poorly as a whole, this is no news.
  if (limits.every((limit) => limit.status === 'normal')) {
    const missing = camerasEstimated(e.capture.estimated) ? null : meanMissing(views);
    bound('carved', missing, (v) => `the renders leave out ${percent(v)} of what the masks mark`);
    const worst = worstFit(e.views);
    bound('misfit', worst?.iou, (v) => `the silhouette of ${worst?.name} overlaps by ${v.toFixed(2)} only`);
  }
  bound('inMask', group?.psnrInMask?.mean, (v) => `within the object the renders reach ${decibel(v)}`);
  bound('explained', meanExplained(views), (v) =>
    v > 0
      ? `the renders explain ${percent(v)} of what varies on the object`
      : 'the renders explain nothing of what varies on the object',
  );
  bound('unseen', e.texture.unseenShare, (v) => `no picture shows ${percent(v)} of the surface`);
  // Many parts alone may be the object itself, such as a necklace; with any other sign of trouble they are shreds.
  if (limits.some((limit) => limit.status !== 'normal') || e.status !== 'normal') {
    bound('parts', e.mesh.components - e.mesh.innerShells, (v) => `the surface lies in ${v} parts`);
  }
  return limits;
}

function meanMissing(views: readonly ViewQuality[]): number | null {
  const values = views.flatMap((v) => v.mask?.missing ?? []);
  return values.length === 0 ? null : mean(values);
}

/** The view that fits worst of those that the model was made of or kept back from it. */
function worstFit(views: readonly ViewQuality[]): { name: string; iou: number } | undefined {
  return views
    .flatMap(({ name, mask, group }) => (mask && group !== 'test' ? [{ name, iou: mask.iou }] : []))
    .sort((a, b) => a.iou - b.iou)[0];
}

function meanExplained(views: readonly ViewQuality[]): number | null {
  const values = views.flatMap((v) => v.colour?.explained ?? []);
  return values.length === 0 ? null : mean(values);
}
