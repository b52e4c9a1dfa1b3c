import { beforeAll, expect, test } from 'vitest';
import { healthyMesh, qualityInput, sphereRenderer } from '../../../test/qualityFixtures.js';
import { sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { assessWith } from '../assess/assess.js';
import { buildQuality, type QualityInput } from '../report/qualityJson.js';
import type { QualityData } from '../schema.js';
import type { AdviceEvidence } from './advice.js';
import { judge } from './judge.js';

let input: QualityInput;
let good: QualityData;
beforeAll(async () => {
  const capture = sphereCapture({ views: 12 });
  input = qualityInput(capture, await assessWith(sphereRenderer(), sphereAsset(), healthyMesh, capture));
  good = buildQuality(input);
});

const change = (edit: (e: AdviceEvidence) => unknown): AdviceEvidence => {
  const copy = structuredClone(good);
  edit(copy);
  return copy;
};
const iou = (e: AdviceEvidence, mean: number): void => {
  e.totals.input!.maskIou = { mean, worst: mean, worstView: 'r_0' };
  for (const v of e.views) v.mask = { iou: mean, missing: 1 - mean, extra: 0, shift: [0, 0], border: 0 };
};
const codes = (e: AdviceEvidence): string[] => judge(e).limits.map((limit) => `${limit.code}:${limit.status}`);

test('a faithful result is bounded by nothing', () => {
  expect(judge(good)).toEqual({ status: 'normal', limits: [], likelyCause: null });
  expect(good).toMatchObject({ status: 'normal', limits: [], likelyCause: null });
});

test('silhouettes that do not overlap are no faithful model, whatever PSNR says', () => {
  expect(codes(change((e) => iou(e, 0.85)))).toEqual(['silhouettes:warning']);
  expect(judge(change((e) => iou(e, 0.63))).status).toBe('failure');
});

test('a pale object is judged by what varies on it', () => {
  const pale = (explained: number) =>
    change((e) => {
      for (const v of e.views) v.colour!.explained = explained;
    });
  expect(judge(pale(0.7)).status).toBe('normal');
  expect(codes(pale(0.3))).toEqual(['explained:warning']);
  expect(codes(pale(-0.2))).toEqual(['explained:failure']);
});

test('outlines that all lose a little are no faithful cameras, unless the cameras were estimated', () => {
  const lose = (missing: number, estimated: Record<string, unknown> | null = null) =>
    change((e) => {
      iou(e, 0.975);
      e.capture.estimated = estimated;
      for (const v of e.views) v.mask!.missing = missing;
    });
  expect(codes(lose(0.013))).toEqual([]);
  expect(codes(lose(0.017))).toEqual(['carved:warning']);
  expect(judge(lose(0.017)).likelyCause).toMatch(/all of them alike: check focal length/);
  expect(codes(lose(0.017, { up: 'from the cameras' }))).toEqual(['carved:warning']);
  expect(codes(lose(0.017, { focal: 1.4 }))).toEqual([]);
});

test('one view that does not fit is told, of those that were kept back too, and never makes a failure', () => {
  for (const group of ['input', 'heldOut', 'test'] as const) {
    const one = change((e) => {
      Object.assign(e.views[3], { group });
      e.views[3].mask!.iou = 0.6;
      e.views[3].colour!.explained = -0.5;
    });
    const told = group === 'test' ? [] : ['misfit:warning'];
    expect(codes(one)).toEqual(told);
    if (group !== 'test') expect(judge(one).likelyCause).toMatch(/^1 camera does not fit the others \(r_3\)/);
  }
  expect(codes(change((e) => Object.assign(e.views[3].mask!, { iou: 0.9 })))).toEqual([]);
});

test('sides that nobody photographed bound the status', () => {
  const unseen = (share: number | null) =>
    judge(change((e) => Object.assign(e.texture, { unseenShare: share }))).status;
  expect([unseen(null), unseen(0.4), unseen(0.5), unseen(0.8)]).toEqual(['normal', 'normal', 'warning', 'failure']);
});

test('many parts count only beside other signs of trouble', () => {
  const parts = (e: AdviceEvidence) => Object.assign(e.mesh, { components: 60 });
  expect(judge(change(parts)).status).toBe('normal');
  const shredded = change((e) => {
    parts(e);
    iou(e, 0.85);
  });
  expect(codes(shredded)).toEqual(['parts:failure', 'silhouettes:warning']);
});

test('never lifts a status', () => {
  expect(judge(change((e) => Object.assign(e, { status: 'failure' }))).status).toBe('failure');
});

const causes: [string, RegExp, (e: AdviceEvidence) => unknown][] = [
  [
    'inverted masks',
    /^The masks are the wrong way round: in 12 of 12 pictures .* Turn them round/,
    (e) => {
      iou(e, 0.63);
      for (const v of e.views) {
        v.mask!.border = 1;
        v.inMask = { psnr: 36, ssim: 0.9, pixels: Math.round(0.7 * v.width * v.height) };
      }
    },
  ],
  [
    'two pictures',
    /^Only 2 pictures went into the model/,
    (e) => {
      iou(e, 0.6);
      e.capture.views.input = 2;
    },
  ],
  [
    'no masks',
    /^The pictures have no masks/,
    (e) => {
      e.status = 'failure';
      e.capture.masks = 'none';
      for (const v of e.views) v.mask = null;
    },
  ],
  [
    'one wrong camera',
    /^1 camera does not fit the others \(r_3\)/,
    (e) => {
      e.status = 'warning';
      e.views[3].mask!.iou = 0.5;
    },
  ],
  [
    // It carves the outlines of all others: that of another overlaps least.
    'a mirrored picture among others',
    /^1 camera does not fit the others \(r_5\): .* not mirrored/,
    (e) => {
      iou(e, 0.88);
      e.views[2].mask!.iou = 0.7;
      for (const v of e.views) v.colour!.explained = 0.6;
      e.views[5].colour!.explained = -0.6;
    },
  ],
  [
    'two pictures that were exchanged',
    /^2 cameras do not fit the others \(r_1 and r_7\): make sure that their pictures were not exchanged/,
    (e) => {
      iou(e, 0.92);
      for (const v of e.views) v.mask!.iou = 0.96;
      for (const i of [1, 7]) {
        e.views[i].mask!.iou = 0.8;
        e.views[i].colour!.explained = -0.9;
      }
    },
  ],
  [
    'masks that are shifted',
    /^In all pictures alike the object lies about 3\.6 pixels to the left of its mask: masks or principal points/,
    (e) => {
      iou(e, 0.88);
      for (const [i, v] of e.views.entries()) v.mask!.shift = [-3.5 + 0.2 * (i % 2), 0.2 - i / 100];
      for (const v of e.views) v.mask!.shift![0] -= 0.18;
    },
  ],
  [
    'cameras of two solves',
    /^The cameras fall into two groups: the outlines of 6 pictures are nearly whole and those of 6 cut short\. .* scale/,
    (e) => {
      iou(e, 0.88);
      for (const [i, v] of e.views.entries()) v.mask!.missing = i % 2 ? 0.22 + i / 1000 : i / 1000;
    },
  ],
  [
    'pictures that are mirrored or out of order',
    /^Pictures and cameras do not belong together: .*order and names.* mirrored.* axes/,
    (e) => {
      iou(e, 0.74);
      for (const v of e.views) v.colour!.explained = 0.05;
    },
  ],
  [
    'a wrong focal length',
    /^The cameras do not fit the pictures, all of them alike: check focal length/,
    (e) => iou(e, 0.8),
  ],
  [
    'wrong depth',
    /^The depth maps disagree with the cameras by 30 % .* unit of depth/,
    (e) => {
      e.status = 'warning';
      e.totals.input!.depthRmse = { mean: 0.3 * Math.sqrt(12), worst: 1, worstView: 'r_0' };
      e.capture.bounds = { min: [-1, -1, -1], max: [1, 1, 1] };
    },
  ],
  [
    'unseen sides',
    /^Whole sides were never photographed \(60 % of the surface\)/,
    (e) => Object.assign(e.texture, { unseenShare: 0.6 }),
  ],
];

test.each(causes)('names one cause: %s', (_, says, edit) => {
  expect(judge(change(edit)).likelyCause?.replaceAll('\u00a0', ' ')).toMatch(says);
});

test('quality.json carries the judgement, and the verdict says both evidence and cause', () => {
  const assessment = structuredClone(input.assessment);
  for (const v of assessment.views) Object.assign(v.mask!, { iou: 0.63, missing: 0.3, border: 1 });
  for (const v of assessment.views) v.inMask = { psnr: 36, ssim: 0.9, pixels: Math.round(0.7 * v.width * v.height) };
  assessment.totals.input!.maskIou = { mean: 0.63, worst: 0.4, worstView: 'r_2' };
  const data = buildQuality({ ...input, assessment });
  expect(data.status).toBe('failure');
  expect(data.limits[0]).toMatchObject({ code: 'silhouettes', status: 'failure' });
  expect(data.verdict).toMatch(
    /^Not a faithful model: .*, but silhouettes overlap by 0\.63 only\. The masks are the wrong way round/,
  );
});
