import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { healthyMesh, qualityInput, sphereRenderer } from '../../../test/qualityFixtures.js';
import { sphereAsset, sphereCapture } from '../../../test/sphereCapture.js';
import { assessWith } from '../assess/assess.js';
import { qualityJsonSchema } from '../schema.js';
import { buildQuality, describeFiles, parseQuality, type QualityInput, writeQuality } from './qualityJson.js';

let folder: string;
let input: QualityInput;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-quality-'));
  const capture = sphereCapture({ views: 8 });
  const assessment = await assessWith(sphereRenderer({ exposure: 0.9 }), sphereAsset(), healthyMesh, capture, {
    heldOut: ['r_7'],
  });
  input = qualityInput(capture, assessment);
});
afterAll(() => rm(folder, { recursive: true }));

test('the published schema is the one in code', async () => {
  const published = JSON.parse(await readFile(new URL('../../../docs/quality.schema.json', import.meta.url), 'utf8'));
  // Differs? Run `npx tsx scripts/writeQualitySchema.ts`, and raise QUALITY_SCHEMA_VERSION if meaning changed.
  expect(published).toEqual(JSON.parse(JSON.stringify(qualityJsonSchema())));
});

test('what is written reads back as it was', async () => {
  const data = buildQuality({ ...input, warnings: [{ code: 'W', message: 'careful', subject: 'r_1' }] });
  const path = await writeQuality(folder, data);
  const text = await readFile(path, 'utf8');
  expect(parseQuality(JSON.parse(text), path)).toEqual(data);
  expect(text).toMatch(/"cameraToWorld": \[-?\d[^\n]*\],\n/);
  expect(data).toMatchObject({ schemaVersion: 1, status: 'normal', seed: 0, plinth: '0.1.0' });
  expect(data.capture.views).toEqual({ input: 7, heldOut: 1, test: 0, withDepth: 8 });
  expect(data.run.seconds).toBe(13.75);
});

test('two runs of one job differ in `run` only', () => {
  const first = buildQuality(input);
  const second = buildQuality({
    ...input,
    run: { ...input.run, timings: [{ stage: 'load', seconds: 7 }], seconds: 9, peakMemoryBytes: 5, peakGpuBytes: 6 },
  });
  expect(second.run).not.toEqual(first.run);
  expect({ ...second, run: null }).toEqual({ ...first, run: null });
});

test('the verdict is one sentence with the figures', () => {
  const { verdict, psnr } = buildQuality(input);
  expect(verdict.replaceAll('\u00a0', ' ')).toMatch(
    new RegExp(
      `^A faithful model: the 7 input views come back at ${psnr.toFixed(1)} dB and SSIM 0\\.\\d{3} on ` +
        `average; 1 view that it never saw at .*\\.$`,
    ),
  );
  const failed = buildQuality({ ...input, assessment: { ...input.assessment, status: 'failure' } });
  expect(failed.verdict).toMatch(/^Not a faithful model/);
});

test('says in what frame the asset is', () => {
  expect(buildQuality(input).frame).toMatch(/keeps the input’s scale and origin; its axes are the input’s own/);
  const zUp = [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
  const turned = buildQuality({ ...input, capture: { ...input.capture, inputToWorld: zUp, scaleKnown: false } });
  expect(turned.frame).toMatch(/states no scale.*turned by capture\.inputToWorld/);
});

test('takes unseen texels and curves from what the method tells, and thins long curves', () => {
  const points = Array.from({ length: 5001 }, (_, i) => [i, 1 / (i + 1)]);
  const facts = { voxels: 12, texture: { unseenShare: 0.31 }, series: [{ name: 'Loss', points }] };
  const data = buildQuality({ ...input, method: { ...input.method, facts } });
  expect(data.texture.unseenShare).toBe(0.31);
  expect(data.advice.map((a) => a.code)).toContain('unseen-surface');
  expect(data.method.facts).toEqual({ voxels: 12, texture: { unseenShare: 0.31 } });
  expect(data.series[0].points.length).toBeLessThanOrEqual(301);
  expect(data.series[0].points.at(-1)?.[0]).toBe(5000);
});

test('refuses a file of another form with the place of the fault', () => {
  const data = buildQuality(input);
  expect(() => parseQuality({ ...data, schemaVersion: 99 }, 'old/quality.json')).toThrow(
    /old\/quality\.json.*schemaVersion/,
  );
  expect(() => parseQuality(null, 'x')).toThrow(expect.objectContaining({ code: 'ASSET_UNREADABLE' }));
});

test('describes the files of a result, sorted, without the two that are written last', async () => {
  const result = join(folder, 'result');
  await mkdir(join(result, 'previews'), { recursive: true });
  await writeFile(join(result, 'asset.glb'), 'abc');
  await writeFile(join(result, 'previews', 'a.png'), '');
  await writeFile(join(result, 'report.html'), 'x');
  await writeFile(join(result, 'quality.json'), 'x');
  expect(await describeFiles(result)).toEqual([
    { path: 'asset.glb', bytes: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
    { path: 'previews/a.png', bytes: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  ]);
});

test('reports a folder that cannot be written', async () => {
  await expect(writeQuality(join(folder, 'missing'), buildQuality(input))).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  });
});
