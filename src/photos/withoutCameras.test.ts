/** Photos for methods that need no cameras: taken as they are where their masks are known. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { errorOf, pinhole, renderEllipsoid, ringPoses, useFolders } from '../../test/captureScene.js';
import { fusion } from '../methods/fusion/fusion.js';
import { reconviagen } from '../methods/reconviagen/reconviagen.js';
import { reconstruct } from '../pipeline/reconstruct.js';
import { readAnyCapture } from './readAnyCapture.js';

const newFolder = useFolders();
const SIZE = { width: 96, height: 72 };
let root: string;

/** Writes photos of a thing: cut out, or on a background that is anything but plain. */
async function photos(name: string, count: number, cutOut: boolean, masks = false): Promise<string> {
  const folder = join(root, name);
  mkdirSync(join(folder, 'masks'), { recursive: true });
  for (const [i, pose] of ringPoses(count).entries()) {
    const { color } = renderEllipsoid(pinhole(SIZE.width, SIZE.height, 90), pose);
    const raw = { ...SIZE, channels: 4 } as const;
    const alpha = Buffer.from(color.data.filter((_, k) => k % 4 === 3));
    if (masks) {
      const mask = sharp(alpha, { raw: { ...SIZE, channels: 1 } });
      await mask.png().toFile(join(folder, 'masks', `p${i}.png`));
    }
    const data = cutOut
      ? color.data
      : color.data.map((v, k) => (k % 4 === 3 ? 255 : v > 0 ? v : (k * 2654435761) >>> 24));
    await sharp(data, { raw })
      .png()
      .toFile(join(folder, `p${i}.png`));
  }
  return folder;
}

beforeAll(async () => {
  root = await newFolder();
});

const read = async (path: string) => await readAnyCapture(path, { withoutCameras: true });

it('cut-outs are taken as they are, in the order of their names, with one photo as well', async () => {
  const folder = await photos('cut', 2, true);
  const capture = await read(folder);
  expect(capture).toMatchObject({ cameras: 'none', format: 'photos', masks: 'alpha', scaleKnown: false, name: 'cut' });
  expect(capture.views.map(({ name }) => name)).toEqual(['p0', 'p1']);
  expect(capture.bounds).toEqual({ min: [-0.5, -0.5, -0.5], max: [0.5, 0.5, 0.5] });
  expect(capture.warnings).toEqual([]);
  reconviagen.accepts(capture);
  // Methods that need cameras do not take it for more than it is.
  expect((await errorOf(Promise.resolve().then(() => fusion.accepts(capture)))).code).toBe('CAPTURE_NO_CAMERAS');

  const single = await read(join(folder, 'p1.png'));
  expect(single.views.map(({ name }) => name)).toEqual(['p1']);
  expect(single).toMatchObject({ cameras: 'none', name: 'p1', source: join(folder, 'p1.png') });
  await single.dispose();
});

it('masks in files count', async () => {
  const capture = await read(await photos('masked', 2, false, true));
  expect(capture).toMatchObject({ cameras: 'none', masks: 'files' });
  const { data } = await capture.views[0].loadColor();
  expect(new Set(data.filter((_, k) => k % 4 === 3)).size).toBeGreaterThan(1);
});

it('too few photos without masks are refused by the method, with what to do', async () => {
  const capture = await read(await photos('plain', 2, false));
  expect(capture).toMatchObject({ cameras: 'none', masks: 'none' });
  const error = await errorOf(Promise.resolve().then(() => reconviagen.accepts(capture)));
  expect(error.code).toBe('METHOD_REQUIREMENTS');
  expect(error.message).toMatch(/cut the object out/i);
});

it('photos without masks whose cameras cannot be found are taken as they are too: a cut-out is what helps them', async () => {
  const capture = await read(await photos('apart', 3, false));
  expect(capture).toMatchObject({ cameras: 'none', masks: 'none' });
  expect(capture.views).toHaveLength(3);
});

it('a photo that is held out could not be compared, so that is refused', async () => {
  const capture = await read(await photos('held', 2, true));
  const error = await errorOf(reconstruct(capture, { output: join(root, 'x'), method: 'reconviagen', holdout: 2 }));
  expect(error.code).toBe('OPTION_INVALID');
  expect(error.subject).toBe('holdout');
});

it('without asking for it, two photos are too few and one picture is no capture, as ever', async () => {
  const folder = await photos('ever', 2, true);
  expect((await errorOf(readAnyCapture(folder))).code).toBe('CAPTURE_VIEWS_MISSING');
  expect((await errorOf(readAnyCapture(join(folder, 'p0.png')))).code).toBe('CAPTURE_UNRECOGNISED');
});
