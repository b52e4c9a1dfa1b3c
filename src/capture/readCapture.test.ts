import { existsSync } from 'node:fs';
import { readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  ELLIPSOID_BOX,
  encode,
  errorOf,
  pinhole,
  put,
  renderEllipsoid,
  ringPoses,
  type TransformsOptions,
  useFolders,
  writeTransforms,
} from '../../test/captureScene.js';
import { type ZipEntry, zip } from '../../test/zip.js';
import { LIBRARY_WORDS, wordRemedy } from '../core/remedy.js';
import type { Lens } from './cameras/lens.js';
import type { Capture } from './capture.js';
import type { ReadOptions } from './options.js';
import { readCapture } from './readCapture.js';

const folder = useFolders();

async function written(options: TransformsOptions = {}): Promise<string> {
  const root = await folder();
  await writeTransforms(root, options);
  return root;
}

/** Every file below a folder as entries of an archive. */
async function entriesOf(root: string, prefix = ''): Promise<ZipEntry[]> {
  const entries: ZipEntry[] = [];
  for (const name of await readdir(root, { recursive: true })) {
    const data = await readFile(join(root, name)).catch(() => undefined);
    if (data) entries.push({ name: prefix + name, data });
  }
  return entries;
}

function expectBox({ bounds }: Capture): void {
  for (let i = 0; i < 3; i++) {
    const extent = ELLIPSOID_BOX.max[i] - ELLIPSOID_BOX.min[i];
    for (const excess of [ELLIPSOID_BOX.min[i] - bounds.min[i], bounds.max[i] - ELLIPSOID_BOX.max[i]]) {
      expect(excess / extent).toBeGreaterThanOrEqual(0);
      expect(excess / extent).toBeLessThan(0.2);
    }
  }
}

describe('readCapture', () => {
  it('reads a folder: cameras, pixels, depth, masks and bounds', async () => {
    const lens = pinhole(96, 72, 90);
    const capture = await readCapture(await written({ lens, depthScale: 0.0005 }));
    expect(capture).toMatchObject({ format: 'nerfstudio', masks: 'alpha', scaleKnown: true, warnings: [] });
    expectBox(capture);
    const [view] = capture.views;
    const truth = renderEllipsoid(lens, ringPoses(6)[0]);
    const color = await view.loadColor();
    expect(Buffer.compare(Buffer.from(color.data), Buffer.from(truth.color.data))).toBe(0);
    const depth = await view.depth?.load();
    const worst = Math.max(...truth.depth.data.map((v, i) => Math.abs(v - (depth?.data[i] ?? 9))));
    expect(worst).toBeLessThanOrEqual(0.000251);
    expect(view.depth?.accuracy).toBe(0.0005);
    const small = await view.loadColor({ maxSize: 32 });
    expect([small.width, small.height]).toEqual([32, 24]);
    const smallDepth = await view.depth?.load({ maxSize: 32 });
    for (const v of smallDepth?.data ?? []) expect(v === 0 || depth?.data.includes(v)).toBe(true);
    // Each call gives pixels of its own.
    color.data.fill(0);
    expect((await view.loadColor()).data.some((v) => v > 0)).toBe(true);
  });

  it('undistorts colour and depth, with a camera that fits them', async () => {
    const lens: Lens = { ...pinhole(120, 90, 100), k: [-0.2, 0.04], p: [0.001, -0.002] };
    const root = await written({
      lens,
      depthScale: 0.0005,
      change: (t) => Object.assign(t, { k1: -0.2, k2: 0.04, p1: 0.001, p2: -0.002 }),
    });
    const capture = await readCapture(root);
    expectBox(capture);
    const { camera, depth } = capture.views[2];
    const straight: Lens = { ...camera, model: 'brown', k: [] };
    const truth = renderEllipsoid(straight, ringPoses(6)[2]);
    const color = await capture.views[2].loadColor();
    const loaded = await depth?.load();
    let differs = 0;
    let marked = 0;
    for (let i = 0; i < truth.depth.data.length; i++) {
      const inside = truth.depth.data[i] > 0;
      if (inside) marked++;
      if (inside !== color.data[i * 4 + 3] > 127) differs++;
      if (inside !== (loaded?.data[i] ?? 0) > 0) differs++;
    }
    expect(differs / marked).toBeLessThan(0.05);
  });

  it('reads a .zip, with or without a folder around the files, and removes what it unpacked', async () => {
    const root = await written({ depthScale: 0.001 });
    for (const prefix of ['', 'my capture/', 'outer/inner/']) {
      const tempFolder = await folder();
      const file = await put(await folder(), 'Vase 1.zip', zip(await entriesOf(root, prefix)));
      const capture = await readCapture(file, { tempFolder });
      expect([capture.name, capture.source, capture.views.length]).toEqual(['Vase 1', file, 6]);
      expect((await capture.views[5].loadColor()).width).toBe(96);
      expect(await readdir(tempFolder)).toHaveLength(1);
      await capture.dispose();
      await capture.dispose();
      expect(await readdir(tempFolder)).toEqual([]);
    }
  });

  it('leaves nothing of an archive that is refused', async () => {
    const root = await written();
    await writeFile(join(root, 'images/r_3.png'), 'no picture');
    const tempFolder = await folder();
    const file = await put(await folder(), 'a.zip', zip(await entriesOf(root)));
    const error = await errorOf(readCapture(file, { tempFolder }));
    expect([error.code, error.message.includes('r_3.png')]).toEqual(['IMAGE_UNREADABLE', true]);
    expect(await readdir(tempFolder)).toEqual([]);
  });

  it('takes test views from transforms_test.json, else from transforms_val.json', async () => {
    const root = await folder();
    const split = (name: string, count: number) =>
      writeTransforms(root, { count, folder: name, file: `transforms_${name}.json`, lens: pinhole(48, 36, 45) });
    await split('train', 5);
    await split('val', 3);
    const splits = async (path = root) => (await readCapture(path)).views.map((view) => view.split === 'test');
    expect((await splits()).filter(Boolean)).toHaveLength(3);
    await split('test', 4);
    expect((await splits()).filter(Boolean)).toHaveLength(4);
    // Named directly, a file trains with all of its frames.
    expect(await splits(join(root, 'transforms_test.json'))).toEqual([false, false, false, false]);
  });

  it('reads the only transforms file of any name, and asks which of several is meant', async () => {
    const root = await written({ file: 'transforms_six.json' });
    expect((await readCapture(root)).views).toHaveLength(6);
    await put(root, 'transforms_nine.json', '{}');
    const error = await errorOf(readCapture(root));
    expect([error.code, /transforms_nine\.json, transforms_six\.json/.test(error.message)]).toEqual([
      'CAPTURE_UNRECOGNISED',
      true,
    ]);
    expect((await readCapture(join(root, 'transforms_six.json'))).views).toHaveLength(6);
  });
});

describe('masks of a capture', () => {
  const lens = pinhole(96, 72, 90);

  /** A capture of opaque pictures over a ground, with whatever else `prepare` adds. */
  async function opaque(
    ground: (i: number) => number,
    options?: ReadOptions,
    prepare?: (root: string) => Promise<unknown>,
    depthScale?: number,
  ) {
    const root = await written({ lens, depthScale });
    for (const [i, pose] of ringPoses(6).entries()) {
      const { color } = renderEllipsoid(lens, pose);
      for (let p = 0; p < color.data.length; p += 4) {
        if (color.data[p + 3] === 0) color.data.fill(ground(p >> 2), p, p + 3);
        color.data[p + 3] = 255;
      }
      await put(
        root,
        `images/r_${i}.png`,
        await sharp(await encode(color))
          .removeAlpha()
          .png()
          .toBuffer(),
      );
    }
    await prepare?.(root);
    return readCapture(root, options);
  }

  async function putMasks(root: string, names = [0, 1, 2, 3, 4, 5], size = lens): Promise<void> {
    const poses = ringPoses(6);
    for (const i of names) {
      const { color } = renderEllipsoid(size, poses[i]);
      const mask = sharp(await encode(color))
        .extractChannel('alpha')
        .png();
      await put(root, `masks/r_${i}.png`, await mask.toBuffer());
    }
  }

  /** Share of pixels on which mask and truth agree in all views. */
  async function agreement(capture: Capture): Promise<number> {
    let same = 0;
    let all = 0;
    for (const [i, pose] of ringPoses(6).entries()) {
      const truth = renderEllipsoid(lens, pose).color.data;
      const { data } = await capture.views[i].loadColor();
      for (let p = 3; p < truth.length; p += 4, all++) if (data[p] > 127 === truth[p] > 127) same++;
    }
    return same / all;
  }

  const busy = (i: number): number => (i * 2654435761) % 251;

  it('come from files, of another size too', async () => {
    const capture = await opaque(busy, {}, (root) => putMasks(root));
    expect([capture.masks, await agreement(capture)]).toEqual(['files', 1]);
    expectBox(capture);
    const large = await opaque(busy, {}, (root) => putMasks(root, undefined, pinhole(192, 144, 180)));
    expect(await agreement(large)).toBeGreaterThan(0.995);
  });

  it('come from files before transparency, depth and background', async () => {
    const root = await written({ lens, depthScale: 0.001 });
    expect((await readCapture(root)).masks).toBe('alpha');
    await putMasks(root);
    expect((await readCapture(root)).masks).toBe('files');
    expect((await readCapture(root, { masks: 'depth' })).masks).toBe('depth');
  });

  it('come from depth where the pictures are opaque', async () => {
    const capture = await opaque(busy, {}, undefined, 0.001);
    expect([capture.masks, await agreement(capture)]).toEqual(['depth', 1]);
  });

  it.each([
    ['bright', 246],
    ['dark', 6],
  ])('come from a plain %s background', async (_, level) => {
    const capture = await opaque(() => level);
    expect(capture.masks).toBe('background');
    expect(await agreement(capture)).toBeGreaterThan(0.99);
    // The second load takes the mask that was kept.
    expect(await agreement(capture)).toBeGreaterThan(0.99);
    expectBox(capture);
  });

  it('are none before a busy background, with a warning', async () => {
    const capture = await opaque(busy);
    expect(capture.masks).toBe('none');
    expect(capture.warnings.map(({ code }) => code)).toContain('CAPTURE_NO_MASKS');
    expect((await capture.views[0].loadColor()).data[3]).toBe(255);
  });

  it('are none: refused with every warning in one error where reading is strict', async () => {
    const error = await errorOf(opaque(busy, { strict: true }));
    expect([error.code, /CAPTURE_NO_MASKS/.test(error.message)]).toEqual(['CAPTURE_NOT_CLEAN', true]);
  });

  it(
    'may be there for some views: the others’ come from a plain background, else those are left out with a ' + 'count',
    async () => {
      const some = (root: string) => putMasks(root, [0, 1, 2, 4, 5]);
      const busyOne = await opaque(busy, {}, some);
      expect([busyOne.masks, busyOne.views.map((view) => view.name)]).toEqual([
        'files',
        ['r_0', 'r_1', 'r_2', 'r_4', 'r_5'],
      ]);
      expect(busyOne.warnings).toEqual([
        expect.objectContaining({
          code: 'CAPTURE_MASKS_PARTIAL',
          message: expect.stringMatching(/5 of 6 pictures have a mask file.*left out: r_3\.png/),
        }),
      ]);
      const plain = await opaque(() => 246, {}, some);
      expect([plain.masks, plain.views.length, plain.warnings.map(({ code }) => code)]).toEqual([
        'files',
        6,
        ['CAPTURE_MASKS_PARTIAL'],
      ]);
      expect(await agreement(plain)).toBeGreaterThan(0.99);
    },
  );

  it('must be there where they are asked for', async () => {
    expect((await errorOf(opaque(busy, { masks: 'files' }))).code).toBe('CAPTURE_FILE_MISSING');
    expect((await errorOf(opaque(busy, { masks: 'depth' }))).code).toBe('CAPTURE_FILE_MISSING');
  });

  it('are turned round on demand, files and transparency; others cannot be', async () => {
    const root = await folder();
    await writeTransforms(root);
    const right = await readCapture(root);
    const truth = await Promise.all(right.views.map((view) => view.loadColor()));
    const inverse = async (path: string): Promise<Buffer> =>
      sharp(await sharp(path).extractChannel('alpha').negate().png().toBuffer())
        .toColourspace('b-w')
        .png()
        .toBuffer();
    for (let i = 0; i < 6; i++) await put(root, `masks/r_${i}.png`, await inverse(join(root, `images/r_${i}.png`)));
    for (let i = 0; i < 6; i++) {
      const opaque = await sharp(join(root, `images/r_${i}.png`))
        .flatten({ background: '#808080' })
        .png()
        .toBuffer();
      await put(root, `images/r_${i}.png`, opaque);
    }
    const wrong = await readCapture(root);
    expect(wrong.warnings.map((w) => w.code)).toContain('CAPTURE_MASKS_INVERTED');
    const told = wrong.warnings.find((w) => w.code === 'CAPTURE_MASKS_INVERTED')?.remedy;
    expect(wordRemedy(told, LIBRARY_WORDS)).toBe('Turn the masks round (white = object), or use `invertMasks`');
    const turned = await readCapture(root, { invertMasks: true });
    expect([turned.masks, turned.warnings]).toEqual(['files', []]);
    for (const [i, view] of turned.views.entries()) {
      const { data } = await view.loadColor();
      expect(data.every((v, p) => p % 4 !== 3 || v === truth[i].data[p])).toBe(true);
    }
    expect(turned.bounds).toEqual(right.bounds);
    const error = await errorOf(readCapture(root, { invertMasks: true, masks: 'none' }));
    expect([error.code, error.subject]).toEqual(['OPTION_INVALID', 'invertMasks']);
  });

  it('must neither be empty nor full, nor of another shape', async () => {
    const flat = (value: number, width = 96, height = 72) =>
      sharp({ create: { width, height, channels: 3, background: { r: value, g: value, b: value } } })
        .png()
        .toBuffer();
    for (const value of [0, 255]) {
      const error = await errorOf(
        opaque(busy, {}, async (root) => {
          await putMasks(root);
          await put(root, 'masks/r_4.png', await flat(value));
        }),
      );
      expect([error.code, error.subject?.endsWith('masks/r_4.png')]).toEqual(['CAPTURE_MASK_EMPTY', true]);
    }
    const error = await errorOf(
      opaque(busy, {}, async (root) => {
        await putMasks(root);
        await put(root, 'masks/r_4.png', await flat(255, 72, 72));
      }),
    );
    expect([error.code, error.message.includes('r_4.png')]).toEqual(['IMAGE_SIZE_MISMATCH', true]);
  });

  it('keep soft edges', async () => {
    const root = await written({ lens });
    const soft = await sharp(join(root, 'images/r_0.png')).blur(2).png().toBuffer();
    await put(root, 'images/r_0.png', soft);
    const { data } = await (await readCapture(root)).views[0].loadColor();
    const values = new Set(data.filter((_, i) => i % 4 === 3));
    expect(values.size).toBeGreaterThan(20);
  });
});

describe('captures that cannot be read', () => {
  const code = async (path: string, options?: ReadOptions) => {
    const error = await errorOf(readCapture(path, options));
    expect(error.remedy ?? '').not.toBe('');
    return error;
  };

  it('says what is not there, not understood, or empty', async () => {
    const root = await folder();
    expect((await code(join(root, 'nothing'))).code).toBe('CAPTURE_NOT_FOUND');
    expect((await code(root)).code).toBe('CAPTURE_UNRECOGNISED');
    await put(root, 'notes.txt', 'hello');
    expect((await code(root)).message).toMatch(/notes\.txt.*transforms\.json.*COLMAP.*multi_views/s);
    expect((await code(await put(await folder(), 'mesh.zip', 'v 0 0 0'))).code).toBe('ARCHIVE_INVALID');
  });

  it('says of pictures without cameras what EXIF knows and which inputs would work', async () => {
    const root = await folder();
    const photo = sharp({ create: { width: 60, height: 40, channels: 3, background: '#777' } })
      .withExif({ IFD0: { Make: 'Acme', Model: 'One' }, IFD2: { FocalLength: '4.2', FocalLengthIn35mmFilm: '26' } })
      .jpeg();
    for (const i of [1, 2, 3]) await put(root, `photos/IMG_${i}.jpg`, await photo.clone().toBuffer());
    const error = await code(root);
    expect(error.code).toBe('CAPTURE_NO_CAMERAS');
    expect(error.message).toMatch(/3 pictures.*Acme One, 4\.2 mm, about 43 pixels.*COLMAP.*ns-process-data/s);
    const bare = await folder();
    await put(
      bare,
      'a.png',
      await sharp({ create: { width: 9, height: 9, channels: 3, background: '#777' } })
        .png()
        .toBuffer(),
    );
    expect((await code(bare)).message).toContain('no EXIF');
  });

  it('finds a truncated picture while reading, in whichever split', async () => {
    const root = await written();
    const file = join(root, 'images/r_5.png');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
    const error = await code(root);
    expect([error.code, error.subject]).toEqual(['IMAGE_UNREADABLE', file]);
  });

  it('refuses large pictures by the limit of the caller', async () => {
    const error = await code(await written(), { maxPixels: 96 * 72 - 1 });
    expect(error.code).toBe('IMAGE_TOO_LARGE');
  });

  it('refuses links that lead out of the folder', async () => {
    const root = await written();
    const outside = await put(await folder(), 'private.png', await readFile(join(root, 'images/r_1.png')));
    await unlink(join(root, 'images/r_1.png'));
    await symlink(outside, join(root, 'images/r_1.png'));
    expect((await code(root)).code).toBe('ARCHIVE_UNSAFE_PATH');
  });

  it('refuses captures of fewer than two training views', async () => {
    expect((await code(await written({ count: 1 }))).code).toBe('CAPTURE_VIEWS_MISSING');
  });

  it('names the camera that does not see the object', async () => {
    const root = await written({
      change: (t) => {
        for (const r of [0, 1, 2]) t.frames[4].transform_matrix[r][3] *= -4;
      },
    });
    const error = await code(root);
    expect([error.code, error.message.includes('r_4')]).toEqual(['CAPTURE_OBJECT_OUT_OF_VIEW', true]);
  });

  it('refuses options outside their range', async () => {
    expect((await errorOf(readCapture('.', { maxPixels: 0 }))).code).toBe('OPTION_INVALID');
    expect((await errorOf(readCapture('.', { depthScale: Number.NaN }))).code).toBe('OPTION_INVALID');
  });

  it('stops on an abort', async () => {
    const controller = new AbortController();
    controller.abort();
    expect((await errorOf(readCapture(await written(), { signal: controller.signal }))).code).toBe('CANCELLED');
  });
});

const shared = resolve('../shared/captures');

/**
 * Smallest and largest vertex of a binary little-endian PLY whose vertices begin with float x y z; +Z up turned to +Y
 * up.
 */
async function plyBox(file: string): Promise<{ min: number[]; max: number[] }> {
  const bytes = await readFile(file);
  const start = bytes.indexOf('end_header\n') + 11;
  const header = bytes.toString('latin1', 0, start);
  const count = Number(/element vertex (\d+)/.exec(header)?.[1]);
  const vertex = header.slice(header.indexOf('element vertex')).split('element face')[0];
  const sizes: Record<string, number> = { float: 4, double: 8, uchar: 1, int: 4 };
  const stride = [...vertex.matchAll(/property (\w+) \w+/g)].reduce((sum, [, type]) => sum + sizes[type], 0);
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    const [x, y, z] = [0, 4, 8].map((o) => bytes.readFloatLE(start + i * stride + o));
    [x, z, -y].forEach((v, k) => {
      min[k] = Math.min(min[k], v);
      max[k] = Math.max(max[k], v);
    });
  }
  return { min, max };
}

describe.skipIf(!existsSync(join(shared, 'vase/gt.ply')))('real captures', () => {
  it.each([
    ['vase', 'vase', 60, 12],
    ['suzanne', 'suzanne', 60, 12],
    ['vase-six', 'vase', 6, 0],
    ['suzanne-six', 'suzanne', 6, 0],
  ])('bound %s within 6 % of its true box', async (name, object, count, test) => {
    const capture = await readCapture(join(shared, name));
    expect(capture.views).toHaveLength(count);
    expect(capture.views.filter((view) => view.split === 'test')).toHaveLength(test);
    expect(capture.warnings).toEqual([]);
    const { min, max } = await plyBox(join(shared, object, 'gt.ply'));
    for (let i = 0; i < 3; i++) {
      for (const excess of [min[i] - capture.bounds.min[i], capture.bounds.max[i] - max[i]]) {
        expect(excess).toBeGreaterThanOrEqual(0);
        expect(excess / (max[i] - min[i])).toBeLessThan(0.06);
      }
    }
  });
});
