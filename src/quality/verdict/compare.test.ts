import { expect, test } from 'vitest';
import { healthyMesh, qualityInput, sphereRenderer } from '../../../test/qualityFixtures.js';
import { type SphereLook, sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { assessWith } from '../assess/assess.js';
import { buildQuality } from '../report/qualityJson.js';
import { compareAssessments } from './compare.js';

const capture = sphereCapture({ views: 3 });
const assessed = async (look: SphereLook, of = capture) =>
  assessWith(sphereRenderer(look), sphereAsset(), healthyMesh, of);

test('sets methods side by side and marks the better one', async () => {
  const close = buildQuality(qualityInput(capture, await assessed({ radius: 0.99 })));
  const far = await assessed({ radius: 0.8 });
  const table = compareAssessments([
    { label: 'fusion', quality: far },
    { label: 'nvdiffrec', quality: close },
  ]);
  expect(table.labels).toEqual(['fusion', 'nvdiffrec']);
  const row = (key: string) => table.rows.find((r) => r.key === key);
  expect(row('input.psnr')).toMatchObject({ unit: 'dB', best: [1], values: [far.psnr, close.psnr] });
  expect(row('input.depthRmse')).toMatchObject({ better: 'lower', best: [1] });
  expect(row('seconds')).toMatchObject({ values: [null, 13.75], best: [] });
  expect(row('triangles')).toMatchObject({ values: [3968, 3968], best: [] });
  expect(row('boundaryEdges')?.best).toEqual([]);
  expect(row('heldOut.psnr')).toBeUndefined();
  expect(table.views[2]).toEqual({ name: 'r_2', group: 'input', values: [far.views[2].psnr, close.views[2].psnr] });
});

test('refuses a lone assessment and assessments of different views', async () => {
  const one = { label: 'a', quality: await assessed({}) };
  const other = { label: 'b', quality: await assessed({}, sphereCapture({ views: 4 })) };
  expect(() => compareAssessments([one])).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  expect(() => compareAssessments([one, other])).toThrow(/different views: none and r_3/);
});
