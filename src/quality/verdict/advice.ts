import { diagonalOf } from '../../core/bounds.js';
import { mean } from '../../core/statistics.js';
import type { Advice, QualityData, ViewQuality } from '../schema.js';
import { counted, decibel, percent, significant, viewsNamed } from './words.js';

/** What the rules look at: all of `quality.json` but what comes out of them or does not matter to them. */
export type AdviceEvidence = Pick<
  QualityData,
  'status' | 'psnr' | 'ssim' | 'heldOutGap' | 'thresholds' | 'totals' | 'views' | 'mesh' | 'texture' | 'protocol'
> & { capture: Pick<QualityData['capture'], 'views' | 'masks' | 'bounds' | 'scaleKnown' | 'estimated'> };

/**
 * Whether cameras were found from the pictures: six views or photos. Other captures only have their up direction
 * chosen, or state things besides.
 */
export const camerasEstimated = (estimated: Record<string, unknown> | null): boolean =>
  estimated !== null && ('focal' in estimated || 'photos' in estimated);

/** From where the rules speak up. Shares are 0…1. */
export const ADVICE_LIMITS = {
  /** Mask IoU of a view below which its silhouette is wrong. */
  maskIou: 0.95,
  /** Shift of the silhouette, as a share of the picture's longer side, that points to the camera. */
  maskShift: 0.006,
  /** Greatest over least brightness gain among views. */
  exposureSpread: 1.2,
  /** Mean brightness gain away from 1. */
  brightness: 0.12,
  /** Mean share of bright pixels that only the render has, or only the pictures have. */
  highlights: 0.01,
  /** Mean sharpness of the renders against their pictures. */
  sharpness: 0.6,
  /** Share of used texels that no picture shows. */
  unseenTexels: 0.05,
  /** Texels per pixel of the sharpest view. */
  texelsPerPixel: 0.75,
  /** PSNR of input views minus that of unseen views, dB. */
  heldOutGap: 3,
  /** Depth RMSE as a share of the diagonal of the object's box. */
  depthRmse: 0.01,
  /** Share of depth pixels without surface. */
  depthMissing: 0.05,
  /** A view this many dB below the mean of its group stands out. */
  weakView: 4,
} as const;

type Rule = (e: AdviceEvidence) => Advice[];

const problem = (code: string, message: string, views: readonly ViewQuality[] = []): Advice => ({
  code,
  severity: 'problem',
  message,
  views: views.map((v) => v.name),
});
const hint = (code: string, message: string, views: readonly ViewQuality[] = []): Advice => ({
  ...problem(code, message, views),
  severity: 'hint',
});

const namesOf = (views: readonly ViewQuality[]): string => viewsNamed(views.map((v) => v.name));
const inputs = (e: AdviceEvidence): ViewQuality[] => e.views.filter((v) => v.group === 'input');

const fewViews: Rule = (e) => {
  const { input, withDepth } = e.capture.views;
  if (input < 4) {
    return [
      problem(
        'few-views',
        `Only ${counted(input, 'picture')} went into the model, so most of the object is a guess: take at ` +
          'least six, better twenty or more, from all around.',
      ),
    ];
  }
  if (input < 12 && withDepth === 0) {
    return [
      hint(
        'few-views',
        `${counted(input, 'picture')} without depth show a hull at best, hollows stay filled: add depth maps ` +
          'or more pictures.',
      ),
    ];
  }
  return [];
};

/**
 * One cause per view: moved as a whole points to the camera, lacking to thin parts or a mask too large, spilling to
 * masks too small.
 */
const silhouettes: Rule = (e) => {
  const low = inputs(e).filter((v) => v.mask && v.mask.iou < ADVICE_LIMITS.maskIou);
  if (low.length === 0) return [];
  const moved = (v: ViewQuality) =>
    v.mask?.shift ? Math.hypot(v.mask.shift[0], v.mask.shift[1]) / Math.max(v.width, v.height) : 0;
  const byCamera = low.filter(
    (v) =>
      moved(v) > ADVICE_LIMITS.maskShift &&
      Math.min(v.mask!.missing, v.mask!.extra) > 0.25 * Math.max(v.mask!.missing, v.mask!.extra),
  );
  const rest = low.filter((v) => !byCamera.includes(v));
  const lacking = rest.filter((v) => v.mask!.missing >= v.mask!.extra);
  const spilling = rest.filter((v) => v.mask!.missing < v.mask!.extra);
  const out: Advice[] = [];
  const ious = (views: ViewQuality[]) =>
    `silhouette overlap as low as ${Math.min(...views.map((v) => v.mask!.iou)).toFixed(3)}`;
  if (byCamera.length > 0) {
    const pixels = Math.max(...byCamera.map((v) => Math.hypot(v.mask!.shift![0], v.mask!.shift![1])));
    out.push(
      problem(
        'camera-disagrees',
        `The silhouette in ${namesOf(byCamera)} sits up to ${pixels.toFixed(0)} pixels beside its picture ` +
          `(${ious(byCamera)}): check pose and focal length of ` +
          `${byCamera.length === 1 ? 'this camera' : 'these cameras'}, and whether lens distortion was taken ` +
          'into account.',
        byCamera,
      ),
    );
  }
  if (lacking.length > 0) {
    const share = Math.max(...lacking.map((v) => v.mask!.missing));
    out.push(
      problem(
        'silhouette-missing',
        `The model lacks up to ${percent(share)} of the object in ${namesOf(lacking)} (${ious(lacking)}): a ` +
          'part is too thin for the grid, or the mask there, or of a view that carves it away, is wrong; check ' +
          'the masks and raise the resolution.',
        lacking,
      ),
    );
  }
  if (spilling.length > 0) {
    const share = Math.max(...spilling.map((v) => v.mask!.extra));
    out.push(
      problem(
        'silhouette-extra',
        `The model spills over the mask in ${namesOf(spilling)} by up to ${percent(share)} of the object’s ` +
          `area (${ious(spilling)}): the mask there is too small, or masks elsewhere take in shadow or ` +
          'background.',
        spilling,
      ),
    );
  }
  return out;
};

const exposure: Rule = (e) => {
  const views = inputs(e).filter((v) => v.colour);
  if (views.length === 0) return [];
  const sorted = [...views].sort((a, b) => a.colour!.gain - b.colour!.gain);
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  const spread = most.colour!.gain / least.colour!.gain;
  if (spread > ADVICE_LIMITS.exposureSpread) {
    return [
      problem(
        'exposure-differs',
        `Picture ${most.name} is ${percent(spread - 1)} brighter against the model than picture ` +
          `${least.name}: lock exposure and white balance while photographing, and keep your own shadow off ` +
          'the object.',
        [most, least],
      ),
    ];
  }
  const gain = mean(views.map((v) => v.colour!.gain));
  if (Math.abs(gain - 1) > ADVICE_LIMITS.brightness) {
    return [
      problem(
        'brightness-off',
        `The model is ${percent(Math.abs(1 / gain - 1))} ${gain > 1 ? 'darker' : 'brighter'} than its pictures on average: ${e.texture.kind === 'pbr' ? 'the estimated light is off' : 'views that see the same surface disagree about its brightness'}.`,
      ),
    ];
  }
  return [];
};

const highlights: Rule = (e) => {
  const views = inputs(e).filter((v) => v.colour);
  const baked = mean(views.map((v) => v.colour!.bakedHighlights));
  const lost = mean(views.map((v) => v.colour!.lostHighlights));
  const remedy =
    e.texture.kind === 'baked'
      ? 'a method that tells material from light, such as nvdiffrec, or softer light while photographing, avoids that'
      : 'more views of the shiny parts or more iterations sharpen the estimated gloss';
  const out: Advice[] = [];
  if (baked > ADVICE_LIMITS.highlights) {
    out.push(
      problem(
        'highlights-baked',
        `Bright spots cover ${percent(baked)} of the renders where the pictures have none, since highlights ` +
          `of other views stuck to the surface: ${remedy}.`,
      ),
    );
  }
  if (lost > ADVICE_LIMITS.highlights) {
    out.push(
      hint(
        'highlights-lost',
        `Highlights on ${percent(lost)} of the object move with the camera and are missing from the renders: ` +
          `${remedy}.`,
      ),
    );
  }
  return out;
};

const blur: Rule = (e) => {
  const views = inputs(e).filter((v) => v.colour);
  const sharpness = mean(views.map((v) => v.colour!.sharpness));
  if (views.length === 0 || sharpness >= ADVICE_LIMITS.sharpness) return [];
  return [
    problem(
      'blurred',
      `The renders keep ${percent(sharpness)} of the pictures’ contrast in fine detail: cameras that are ` +
        'slightly off, a coarse surface or a small texture blur what several views see.',
    ),
  ];
};

const meshHealth: Rule = ({ mesh }) => {
  const out: Advice[] = [];
  if (mesh.boundaryEdges > 0) {
    out.push(
      problem(
        'holes',
        `The mesh has holes with ${counted(mesh.boundaryEdges, 'open edge')} around them: for printing or ` +
          'simulation let holes be closed, or add pictures of what is open.',
      ),
    );
  }
  if (mesh.nonManifoldEdges > 0) {
    out.push(
      problem(
        'non-manifold',
        `${counted(mesh.nonManifoldEdges, 'edge is', 'edges are')} shared by more than two triangles, which ` +
          'some modelling and printing tools refuse: repair the mesh there or reconstruct at another ' +
          'resolution.',
      ),
    );
  }
  if (mesh.inwardTriangles > 0) {
    out.push(
      problem(
        'inward-faces',
        `${counted(mesh.inwardTriangles, 'triangle faces', 'triangles face')} inwards and will look like ` +
          'holes in viewers that hide back faces: flip them, or report the capture as a defect.',
      ),
    );
  }
  if (mesh.innerShells > 0) {
    out.push(
      problem(
        'inner-shells',
        `${counted(mesh.innerShells, 'closed part lies', 'closed parts lie')} unseen inside the object: ` +
          `remove ${mesh.innerShells === 1 ? 'it' : 'them'} before printing, since ` +
          `${mesh.innerShells === 1 ? 'it becomes a cavity' : 'they become cavities'}.`,
      ),
    );
  }
  const parts = mesh.components - mesh.innerShells;
  if (parts > 1) {
    out.push(
      hint(
        'several-parts',
        `The mesh consists of ${parts} separate parts: if the object is one piece, a thin joint was lost or ` +
          'a speck was kept.',
      ),
    );
  }
  if (mesh.degenerateTriangles > 0) {
    out.push(
      hint(
        'degenerate-triangles',
        `${counted(mesh.degenerateTriangles, 'triangle has', 'triangles have')} no area: harmless on screen, ` +
          'but clean up before computing with the mesh.',
      ),
    );
  }
  return out;
};

const texture: Rule = (e) => {
  const out: Advice[] = [];
  const { unseenShare } = e.texture;
  if (unseenShare !== null && unseenShare > ADVICE_LIMITS.unseenTexels) {
    const message =
      `No picture shows ${percent(unseenShare)} of the surface, which was painted in from its surroundings: ` +
      'add pictures from there, often from below or into hollows.';
    out.push(unseenShare > 0.2 ? problem('unseen-surface', message) : hint('unseen-surface', message));
  }
  const densities = inputs(e).flatMap((v) => v.texelsPerPixel ?? []);
  const sharpest = Math.min(...densities);
  if (densities.length > 0 && sharpest < ADVICE_LIMITS.texelsPerPixel) {
    const wanted = Math.min(8192, 2 ** Math.ceil(Math.log2(e.texture.width / sharpest)));
    out.push(
      wanted > e.texture.width
        ? hint(
            'texture-coarse',
            `The texture holds ${sharpest.toFixed(2)} texels per pixel of the sharpest picture: a texture of ` +
              `${wanted}² would keep the detail that ${e.texture.width}² loses.`,
          )
        : hint(
            'texture-coarse',
            `The pictures are sharper than a texture of ${e.texture.width}² can hold (${sharpest.toFixed(2)} ` +
              'texels per pixel).',
          ),
    );
  }
  return out;
};

const unseenViews: Rule = (e) => {
  if (e.heldOutGap === null || e.heldOutGap <= ADVICE_LIMITS.heldOutGap) return [];
  const group = e.totals.heldOut ? 'held-out' : 'test';
  return [
    problem(
      'held-out-gap',
      `Views that the method never saw (${group}) score ${decibel(e.heldOutGap)} less than its own: the ` +
        `model fits its pictures better than the object, so trust the ${group} figures and add views where ` +
        'they are worst.',
    ),
  ];
};

const depth: Rule = (e) => {
  const total = e.totals.input;
  if (!total?.depthRmse || !total.depthMissing) return [];
  const relative = total.depthRmse.mean / diagonalOf(e.capture.bounds);
  const out: Advice[] = [];
  if (relative > ADVICE_LIMITS.depthRmse) {
    out.push(
      problem(
        'depth-disagrees',
        `The surface is off the depth maps by ${percent(relative)} of the object’s diagonal (RMSE ` +
          `${significant(total.depthRmse.mean)} units, worst in view ${total.depthRmse.worstView}): check ` +
          'depth unit and alignment of colour and depth.',
      ),
    );
  }
  if (total.depthMissing.mean > ADVICE_LIMITS.depthMissing) {
    out.push(
      problem(
        'depth-missing',
        `${percent(total.depthMissing.mean)} of the depth pixels have no surface in the model, most in view ` +
          `${total.depthMissing.worstView}: thin parts were lost, or the depth map shows background.`,
      ),
    );
  }
  return out;
};

const weakViews: Rule = (e) => {
  const total = e.totals.input;
  if (!total) return [];
  const deciding = (v: ViewQuality) => (e.protocol.statusRegion === 'whole' ? v.psnr : (v.inMask?.psnr ?? 0));
  const limit = e.psnr - ADVICE_LIMITS.weakView;
  const weak = inputs(e).filter((v) => deciding(v) < limit && v.status !== 'normal');
  if (weak.length === 0) return [];
  const lowest = Math.min(...weak.map(deciding));
  return [
    problem(
      'weak-views',
      `${
        weak.length === 1 ? `View ${weak[0].name} stands` : `${namesOf(weak).replace('views', 'Views')} stand`
      } out with ${weak.length === 1 ? '' : 'down to '}${decibel(lowest)} against a mean of ${decibel(e.psnr)}: look at the error map there for blur, motion or a wrong camera.`,
      weak,
    ),
  ];
};

const capture: Rule = (e) => {
  const out: Advice[] = [];
  if (e.capture.masks === 'none') {
    out.push(
      problem(
        'no-masks',
        'The pictures have no masks, so background may have become surface: add alpha, a masks folder, or ' +
          'photograph before a plain background.',
      ),
    );
  }
  if (camerasEstimated(e.capture.estimated)) {
    out.push(
      hint(
        'cameras-estimated',
        'Cameras were estimated from the pictures ' +
          `themselves${e.capture.scaleKnown ? '' : ', and the scale was chosen'}: give focal length and ` +
          'distance if you know them, since proportions depend on them.',
      ),
    );
  } else if (!e.capture.scaleKnown) {
    out.push(
      hint(
        'scale-unknown',
        'The input tells no scale, so measures in the model are relative: scale it by one known length.',
      ),
    );
  }
  return out;
};

const RULES: readonly Rule[] = [
  fewViews,
  silhouettes,
  weakViews,
  unseenViews,
  depth,
  exposure,
  highlights,
  blur,
  texture,
  meshHealth,
  capture,
];

/**
 * One sentence for each thing that is wrong or worth knowing, problems first. Never empty where the status is not
 * `normal`.
 */
export function adviseOn(evidence: AdviceEvidence): Advice[] {
  const all = RULES.flatMap((rule) => rule(evidence));
  const problems = all.filter((a) => a.severity === 'problem');
  if (evidence.status !== 'normal' && problems.length === 0) {
    const { psnr, ssim } = evidence.thresholds.normal;
    const faithful = evidence.psnr >= psnr && evidence.ssim >= ssim;
    problems.push(
      faithful
        ? problem(
            'evidence-weak',
            'PSNR and SSIM over the whole frame are good, but other evidence speaks against the model: look ' +
              'at the error maps, above all within the object.',
          )
        : problem(
            'low-fidelity',
            `The renders reach ${decibel(evidence.psnr)} and SSIM ${evidence.ssim.toFixed(3)} where ` +
              `${decibel(psnr)} and ${ssim} are asked for, without one clear cause: try preset high, sharper ` +
              'pictures, or more of them.',
          ),
    );
  }
  return [...problems, ...all.filter((a) => a.severity === 'hint')];
}
