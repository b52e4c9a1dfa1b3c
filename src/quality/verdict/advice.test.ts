import { beforeAll, describe, expect, test } from 'vitest';
import { healthyMesh, qualityInput, sphereRenderer } from '../../../test/qualityFixtures.js';
import { sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { assessWith } from '../assess/assess.js';
import { buildQuality } from '../report/qualityJson.js';
import type { Advice } from '../schema.js';
import { type AdviceEvidence, adviseOn } from './advice.js';

let good: AdviceEvidence;
beforeAll(async () => {
  const capture = sphereCapture({ views: 12 });
  good = buildQuality(qualityInput(capture, await assessWith(sphereRenderer(), sphereAsset(), healthyMesh, capture)));
});

const change = (edit: (e: AdviceEvidence) => void): AdviceEvidence => {
  const copy = structuredClone(good);
  edit(copy);
  return copy;
};
const find = (advice: Advice[], code: string) => advice.find((a) => a.code === code);
const plain = (text?: string) => text?.replace(/[\u00a0\u202f]/g, ' ');

test('a faithful result with a healthy mesh needs no advice', () => {
  expect(adviseOn(good)).toEqual([]);
});

const cases: [name: string, code: string, says: RegExp, edit: (e: AdviceEvidence) => void][] = [
  [
    'three pictures',
    'few-views',
    /Only 3 pictures/,
    (e) => {
      e.capture.views.input = 3;
    },
  ],
  [
    'six pictures without depth',
    'few-views',
    /6 pictures without depth/,
    (e) => {
      e.capture.views = { input: 6, heldOut: 0, test: 0, withDepth: 0 };
    },
  ],
  [
    'a silhouette moved sideways',
    'camera-disagrees',
    /view r_2 sits up to 5 pixels.*0\.880.*this camera/,
    (e) => {
      e.views[2].mask = { iou: 0.88, missing: 0.06, extra: 0.07, shift: [3, 4], border: 0 };
    },
  ],
  [
    'a silhouette with a part lost',
    'silhouette-missing',
    /lacks up to 12 % of the object in view r_1/,
    (e) => {
      e.views[1].mask = { iou: 0.88, missing: 0.12, extra: 0, shift: [3, 0], border: 0 };
    },
  ],
  [
    'a silhouette that spills over',
    'silhouette-extra',
    /views r_0 and r_1 by up to 20 %/,
    (e) => {
      for (const i of [0, 1]) e.views[i].mask = { iou: 0.83, missing: 0, extra: 0.2, shift: [0, 0.1], border: 0 };
    },
  ],
  [
    'one bright picture',
    'exposure-differs',
    /Picture r_5 is 30 % brighter/,
    (e) => {
      e.views[5].colour!.gain = 1.3;
    },
  ],
  [
    'a model too dark everywhere',
    'brightness-off',
    /20 % darker/,
    (e) => {
      for (const v of e.views) v.colour!.gain = 1.25;
    },
  ],
  [
    'baked highlights',
    'highlights-baked',
    /5\.0 %.*nvdiffrec/,
    (e) => {
      for (const v of e.views) v.colour!.bakedHighlights = 0.05;
    },
  ],
  [
    'lost highlights',
    'highlights-lost',
    /2\.0 %/,
    (e) => {
      for (const v of e.views) v.colour!.lostHighlights = 0.02;
    },
  ],
  [
    'blurred renders',
    'blurred',
    /keep 45 % of/,
    (e) => {
      for (const v of e.views) v.colour!.sharpness = 0.45;
    },
  ],
  [
    'unseen surface',
    'unseen-surface',
    /25 % of the surface/,
    (e) => {
      e.texture.unseenShare = 0.25;
    },
  ],
  [
    'a coarse texture',
    'texture-coarse',
    /0\.50 texels.*512².*256²/,
    (e) => {
      for (const v of e.views) v.texelsPerPixel = 0.5;
    },
  ],
  [
    'holes',
    'holes',
    /12 open edges/,
    (e) => {
      e.mesh.boundaryEdges = 12;
    },
  ],
  [
    'a non-manifold edge',
    'non-manifold',
    /1 edge is shared/,
    (e) => {
      e.mesh.nonManifoldEdges = 1;
    },
  ],
  [
    'inward triangles',
    'inward-faces',
    /40 triangles face inwards/,
    (e) => {
      e.mesh.inwardTriangles = 40;
    },
  ],
  [
    'an inner shell',
    'inner-shells',
    /1 closed part lies unseen/,
    (e) => {
      Object.assign(e.mesh, { innerShells: 1, components: 2 });
    },
  ],
  [
    'several parts',
    'several-parts',
    /3 separate parts/,
    (e) => {
      e.mesh.components = 3;
    },
  ],
  [
    'degenerate triangles',
    'degenerate-triangles',
    /2 triangles have no area/,
    (e) => {
      e.mesh.degenerateTriangles = 2;
    },
  ],
  [
    'a gap to held-out views',
    'held-out-gap',
    /held-out.*4\.5 dB less/,
    (e) => {
      e.heldOutGap = 4.5;
      e.totals.heldOut = e.totals.input;
    },
  ],
  [
    'depth off',
    'depth-disagrees',
    /2\.0 %.*worst in view r_0/,
    (e) => {
      Object.assign(e.totals.input!.depthRmse!, { mean: 0.0728, worstView: 'r_0' });
    },
  ],
  [
    'depth without surface',
    'depth-missing',
    /10 % of the depth pixels/,
    (e) => {
      e.totals.input!.depthMissing!.mean = 0.1;
    },
  ],
  [
    'one weak view',
    'weak-views',
    /View r_4 stands out with 18\.0 dB/,
    (e) => {
      Object.assign(e.views[4], { psnr: 18, status: 'failure' });
    },
  ],
  [
    'no masks',
    'no-masks',
    /no masks/,
    (e) => {
      e.capture.masks = 'none';
    },
  ],
  [
    'estimated cameras',
    'cameras-estimated',
    /scale was chosen/,
    (e) => {
      Object.assign(e.capture, { estimated: { focal: 1 }, scaleKnown: false });
    },
  ],
  [
    'unknown scale',
    'scale-unknown',
    /relative/,
    (e) => {
      e.capture.scaleKnown = false;
    },
  ],
  [
    'low fidelity without a clear cause',
    'low-fidelity',
    /22\.0 dB and SSIM 0\.800 where 25\.0 dB and 0\.85/,
    (e) => {
      Object.assign(e, { status: 'warning', psnr: 22, ssim: 0.8 });
      for (const v of e.views) v.psnr = 22;
    },
  ],
];

describe('says what is wrong, with evidence, in one sentence', () => {
  test.each(cases)('%s', (_name, code, says, edit) => {
    const advice = adviseOn(change(edit));
    const found = find(advice, code);
    expect(plain(found?.message)).toMatch(says);
    expect(found?.message).toMatch(/^[A-Z0-9].*\.$/);
    expect(found?.message.slice(0, -1)).not.toMatch(/[.!?] /);
    expect(advice.map((a) => a.code)).toEqual([code]);
  });
});

test('names views that are concerned, and puts problems before hints', () => {
  const advice = adviseOn(
    change((e) => {
      e.mesh.components = 3;
      e.views[1].mask = { iou: 0.8, missing: 0.2, extra: 0, shift: [3, 0], border: 0 };
      e.texture.unseenShare = 0.1;
    }),
  );
  expect(advice.map((a) => a.severity)).toEqual(['problem', 'hint', 'hint']);
  expect(advice[0].views).toEqual(['r_1']);
});

test('cameras were estimated from pictures where they were, not where an up direction was chosen', () => {
  for (const [estimated, codes] of [
    [{ focal: 1.4 }, ['cameras-estimated']],
    [{ photos: {} }, ['cameras-estimated']],
    [{ up: 'from the cameras', model: 'sparse/0' }, []],
    [{ applied_scale: 2 }, []],
    [null, []],
  ] as const) {
    const advice = adviseOn(
      change((e) => {
        e.capture.estimated = estimated;
      }),
    );
    expect(advice.map((a) => a.code)).toEqual(codes);
  }
});

test('held-out and test views do not count as evidence about the inputs', () => {
  const advice = adviseOn(
    change((e) => {
      e.views[3].group = 'heldOut';
      e.views[3].mask!.iou = 0.5;
      e.views[3].colour!.gain = 3;
    }),
  );
  expect(advice).toEqual([]);
});
