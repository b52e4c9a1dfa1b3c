/** What people really hand in: broken captures end with a coded error that names the file, odd ones are understood. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { VIEW_NAMES } from '../src/capture/layout/names.js';
import type { ReadOptions } from '../src/capture/options.js';
import { readCapture } from '../src/capture/readCapture.js';
import type { SixViewOptions } from '../src/capture/sixView/options.js';
import type { Arrangement } from '../src/capture/sixView/rig/rig.js';
import { errorOf, put, useFolders, writeTransforms } from './captureScene.js';
import { renderSixViews, type SceneView, SOLIDS } from './sixViewScenes.js';
import { zip } from './zip.js';

const folder = useFolders();

const SIZE = 128;
const ARRANGEMENT: Arrangement = { left: 'viewer', topTurn: 0, bottomTurn: 0 };
/** Nothing is left to be estimated but depth, so that a good capture is read in a second. */
const KNOWN: SixViewOptions = { left: 'viewer', topTurn: 0, bottomTurn: 0, focal: 1.4 };
let scene: SceneView[];

beforeAll(() => {
  scene = renderSixViews({ solid: SOLIDS.animal, focal: 1.4, arrangement: ARRANGEMENT, size: SIZE, specks: 0 });
});

/** The picture of a view: the object in a brownish colour by its depth, on white. */
const picture = ({ depth, size }: SceneView): Sharp => {
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const z = depth[Math.floor(i / 3)];
    return z === 0 ? 255 : [150, 90, 50][i % 3] * (1.6 - z);
  });
  return sharp(data, { raw: { width: size, height: size, channels: 3 } });
};

const depthPng = ({ values, size }: SceneView): Promise<Buffer> =>
  sharp(values, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

async function sixViews({ depth = true } = {}): Promise<string> {
  const root = await folder();
  for (const view of scene) {
    await put(root, `multi_views/${view.name}.png`, await picture(view).png().toBuffer());
    if (depth) await put(root, `depth_renders/${view.name}.png`, await depthPng(view));
  }
  return root;
}

type Spoil = (root: string) => Promise<unknown>;

/** Cuts a file's end off. */
const cut = async (path: string): Promise<void> => {
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, Math.floor(whole.length * 0.6)));
};

const flat = (width: number, height: number, color: string): Sharp =>
  sharp({ create: { width, height, channels: 3, background: color } });

/** The PNG with a header that claims 10,000 × 10,000 pixels. */
function hugePng(png: Buffer): Buffer {
  png.writeUInt32BE(10_000, 16);
  png.writeUInt32BE(10_000, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

const as =
  (name: string, make: (image: Sharp) => Sharp | Promise<Sharp>, spoil?: (path: string) => unknown): Spoil =>
  async (root) => {
    const [view, ending] = name.split('.');
    await rm(join(root, `multi_views/${view}.png`), { force: true });
    const made = await make(picture(scene[VIEW_NAMES.indexOf(view as (typeof VIEW_NAMES)[number])]));
    const path = await put(root, `multi_views/${view}.${ending}`, await made.toBuffer());
    await spoil?.(path);
  };

describe('broken six views', () => {
  const cases: [string, string, RegExp, Spoil][] = [
    ['a missing view', 'CAPTURE_VIEWS_MISSING', /left/, (r) => rm(join(r, 'multi_views/left.png'))],
    [
      'an extra view',
      'CAPTURE_VIEW_UNEXPECTED',
      /side\.png/,
      async (r) => put(r, 'multi_views/side.png', await flat(8, 8, 'red').png().toBuffer()),
    ],
    [
      'a view that is there twice',
      'CAPTURE_VIEW_UNEXPECTED',
      /front\.(jpg|png)/,
      async (r) => put(r, 'multi_views/front.jpg', await picture(scene[0]).jpeg().toBuffer()),
    ],
    ['a truncated PNG', 'IMAGE_UNREADABLE', /back\.png/, (r) => cut(join(r, 'multi_views/back.png'))],
    ['a truncated JPEG', 'IMAGE_UNREADABLE', /back\.jpg/, as('back.jpg', (p) => p.jpeg(), cut)],
    ['a truncated WebP', 'IMAGE_UNREADABLE', /back\.webp/, as('back.webp', (p) => p.webp(), cut)],
    ['a truncated AVIF', 'IMAGE_UNREADABLE', /back\.avif/, as('back.avif', (p) => p.avif(), cut)],
    ['a truncated TIFF', 'IMAGE_UNREADABLE', /back\.tif/, as('back.tif', (p) => p.tiff(), cut)],
    ['an empty file', 'IMAGE_UNREADABLE', /top\.png.*empty/, (r) => writeFile(join(r, 'multi_views/top.png'), '')],
    [
      'a text file with a picture’s ending',
      'IMAGE_UNREADABLE',
      /top\.png/,
      (r) => writeFile(join(r, 'multi_views/top.png'), 'picture follows'),
    ],
    [
      'a folder with a picture’s name',
      'CAPTURE_FILE_MISSING',
      /top\.png/,
      async (r) => {
        await rm(join(r, 'multi_views/top.png'));
        await mkdir(join(r, 'multi_views/top.png'));
      },
    ],
    [
      'a drawing with a picture’s ending',
      'IMAGE_UNREADABLE',
      /top\.png.*svg/,
      (r) =>
        writeFile(join(r, 'multi_views/top.png'), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    ['a view in a format that is not read', 'CAPTURE_VIEWS_MISSING', /bottom\.gif/, as('bottom.gif', (p) => p.gif())],
    [
      'a hundred megapixels',
      'IMAGE_TOO_LARGE',
      /left\.png.*100\.0 megapixels/,
      async (r) => put(r, 'multi_views/left.png', hugePng(await picture(scene[2]).png().toBuffer())),
    ],
    [
      'a depth map of a hundred megapixels',
      'IMAGE_TOO_LARGE',
      /left\.png.*100\.0 megapixels/,
      async (r) => put(r, 'depth_renders/left.png', hugePng(await depthPng(scene[2]))),
    ],
    [
      'pictures of another shape',
      'IMAGE_SIZE_MISMATCH',
      /right\.png.*128 × 96/,
      as('right.png', async (p) =>
        sharp(await p.png().toBuffer())
          .resize(128, 96, { fit: 'fill' })
          .png(),
      ),
    ],
    [
      'a depth map of another shape',
      'IMAGE_SIZE_MISMATCH',
      /front\.png.*128 × 96/,
      async (r) =>
        put(
          r,
          'depth_renders/front.png',
          await sharp(await depthPng(scene[0]))
            .resize(128, 96, { fit: 'fill' })
            .png()
            .toBuffer(),
        ),
    ],
    ['a truncated depth map', 'IMAGE_UNREADABLE', /right\.png/, (r) => cut(join(r, 'depth_renders/right.png'))],
    [
      'a depth map of nothing',
      'DEPTH_INVALID',
      /right\.png/,
      async (r) =>
        put(r, 'depth_renders/right.png', await flat(SIZE, SIZE, 'black').toColourspace('b-w').png().toBuffer()),
    ],
    [
      'a depth map without background',
      'DEPTH_INVALID',
      /right\.png/,
      async (r) =>
        put(r, 'depth_renders/right.png', await flat(SIZE, SIZE, '#808080').toColourspace('b-w').png().toBuffer()),
    ],
    ['a picture of nothing', 'CAPTURE_MASK_EMPTY', /back\.png/, as('back.png', () => flat(SIZE, SIZE, 'white').png())],
    [
      'a mask of nothing',
      'CAPTURE_MASK_EMPTY',
      /back\.png/,
      async (r) => {
        for (const view of scene) {
          const inside = Buffer.from(view.depth.map((z) => (z > 0 && view.name !== 'back' ? 255 : 0)));
          const mask = sharp(inside, { raw: { width: SIZE, height: SIZE, channels: 1 } });
          await put(r, `masks/${view.name}.png`, await mask.png().toBuffer());
        }
      },
    ],
    [
      'a mask for some views only',
      'CAPTURE_FILE_MISSING',
      /masks\/ has no file for the view back/,
      async (r) => put(r, 'masks/front.png', await flat(SIZE, SIZE, 'white').png().toBuffer()),
    ],
    [
      'a link that leads out',
      'ARCHIVE_UNSAFE_PATH',
      /front\.png/,
      async (r) => {
        const outside = await put(await folder(), 'secret.png', await picture(scene[0]).png().toBuffer());
        await rm(join(r, 'multi_views/front.png'));
        await symlink(outside, join(r, 'multi_views/front.png'));
      },
    ],
    [
      'a folder of depth maps that is a link out',
      'ARCHIVE_UNSAFE_PATH',
      /depth_renders/,
      async (r) => {
        const outside = await folder();
        await rename(join(r, 'depth_renders'), join(outside, 'depth'));
        await symlink(join(outside, 'depth'), join(r, 'depth_renders'));
      },
    ],
    [
      'depth maps in a format that is not read',
      'DEPTH_INVALID',
      /back\.npy/,
      async (r) => {
        for (const { name } of scene)
          await rename(join(r, `depth_renders/${name}.png`), join(r, `depth_renders/${name}.npy`));
      },
    ],
    [
      'depth maps for two views only',
      'CAPTURE_FILE_MISSING',
      /depth_renders\/ has no file for the view bottom/,
      async (r) => {
        for (const name of VIEW_NAMES.slice(2)) await rm(join(r, `depth_renders/${name}.png`));
      },
    ],
    [
      'a link to itself',
      'CAPTURE_FILE_MISSING',
      /front/,
      async (r) => {
        await rm(join(r, 'multi_views/front.png'));
        await symlink('front.png', join(r, 'multi_views/front.png'));
      },
    ],
  ];
  it.each(cases)('with %s: %s', async (_, code, says, spoil) => {
    const root = await sixViews();
    await spoil(root);
    const error = await errorOf(readCapture(root, { sixView: KNOWN }));
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(says);
    expect(error.remedy).toBeTruthy();
  });
});

describe('odd six views', () => {
  const read = (root: string, options: ReadOptions = {}) => readCapture(root, { ...options, sixView: KNOWN });

  it('may be of any picture kind, case and size, with desktop rubbish between them', async () => {
    const root = await sixViews({ depth: false });
    for (const spoil of [
      as('front.JPG', async (p) =>
        sharp(await p.png().toBuffer())
          .toColourspace('cmyk')
          .jpeg({ quality: 95 }),
      ),
      as('back.png', (p) => p.png({ palette: true })),
      as('left.webp', (p) => p.webp({ lossless: true })),
      as('right.png', async (p) =>
        sharp(await p.png().toBuffer())
          .toColourspace('rgb16')
          .png(),
      ),
      as('top.avif', (p) => p.avif({ lossless: true })),
      as('bottom.tif', async (p) =>
        sharp(await p.png().toBuffer())
          .resize(256, 256, { kernel: 'nearest' })
          .tiff(),
      ),
    ])
      await spoil(root);
    await put(root, 'multi_views/.DS_Store', 'x');
    await put(root, 'multi_views/._front.png', 'x');
    await put(root, 'multi_views/Thumbs.db', 'x');
    await put(root, '__MACOSX/multi_views/._front.png', 'x');
    const capture = await read(root);
    expect(capture.views.map((v) => v.name)).toEqual(VIEW_NAMES);
    expect(capture.views.map((v) => v.camera.width)).toEqual([128, 128, 128, 128, 128, 256]);
    for (const [i, view] of capture.views.entries()) {
      const color = await view.loadColor({ maxSize: SIZE });
      let wrong = 0;
      for (let p = 0; p < SIZE * SIZE; p++) if (color.data[4 * p + 3] > 127 !== scene[i].depth[p] > 0) wrong++;
      expect(wrong / (SIZE * SIZE)).toBeLessThan(0.01);
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('are turned by the EXIF orientation %d', async (orientation) => {
    const root = await sixViews({ depth: false });
    // The stored pixels that this orientation turns upright.
    const stored = async (image: Sharp): Promise<Sharp> => {
      const upright = sharp(await image.png().toBuffer());
      if (orientation === 1) return upright;
      if (orientation === 2) return upright.flop();
      if (orientation === 3) return upright.rotate(180);
      if (orientation === 4) return upright.flip();
      // Stored turned to the left (5, 6) or to the right (7, 8); 5 and 7 are mirrored besides.
      const turned = sharp(await upright.rotate(orientation < 7 ? 270 : 90).toBuffer());
      return orientation % 2 === 1 ? turned.flip() : turned;
    };
    await as('front.jpg', async (p) =>
      sharp(await (await stored(p)).png().toBuffer())
        .withMetadata({ orientation })
        .jpeg({ quality: 100 }),
    )(root);
    const capture = await read(root);
    const color = await capture.views[0].loadColor();
    let wrong = 0;
    for (let p = 0; p < SIZE * SIZE; p++) if (color.data[4 * p + 3] > 127 !== scene[0].depth[p] > 0) wrong++;
    expect(wrong / (SIZE * SIZE)).toBeLessThan(0.01);
  });

  it('show the first picture of an animation', async () => {
    const root = await sixViews({ depth: false });
    await rm(join(root, 'multi_views/front.png'));
    const frames = [await picture(scene[0]).png().toBuffer(), await flat(SIZE, SIZE, 'red').png().toBuffer()];
    const animated = await sharp(frames, { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer();
    await put(root, 'multi_views/front.webp', animated);
    const capture = await read(root);
    expect([capture.views[0].camera.width, capture.views[0].camera.height]).toEqual([SIZE, SIZE]);
  });

  it('come out of archives as Windows, macOS and careless people pack them', async () => {
    const root = await sixViews({ depth: false });
    const entries: { name: string; data: Buffer }[] = [];
    for (const below of ['multi_views'])
      for (const name of await readdir(join(root, below)))
        entries.push({ name: `Mein Pokal – ポット\\${below}\\${name}`, data: await readFile(join(root, below, name)) });
    entries.push({ name: '__MACOSX/._x', data: Buffer.from('x') }, { name: '.DS_Store', data: Buffer.from('x') });
    const file = await put(await folder(), 'a b#1.zip', zip(entries));
    const capture = await read(file);
    expect([capture.name, capture.views.length]).toEqual(['a b#1', 6]);
    await capture.dispose();
  });
});

describe('things that are no capture', () => {
  const cases: [string, string, RegExp, (root: string) => Promise<string>][] = [
    [
      'a single picture',
      'CAPTURE_UNRECOGNISED',
      /photo\.jpg is one picture/,
      async (r) => put(r, 'photo.jpg', await flat(9, 9, 'red').jpeg().toBuffer()),
    ],
    [
      'an archive of another kind',
      'ARCHIVE_INVALID',
      /a\.tar\.gz/,
      (r) => put(r, 'a.tar.gz', Buffer.from([31, 139, 8, 0])),
    ],
    [
      'an archive that holds but another archive',
      'CAPTURE_UNRECOGNISED',
      /a\.zip.*inner\.zip/,
      (r) =>
        put(
          r,
          'a.zip',
          zip([{ name: 'inner.zip', data: zip([{ name: 'transforms.json', data: Buffer.from('{}') }]) }]),
        ),
    ],
    [
      'a pipe',
      'CAPTURE_UNRECOGNISED',
      /pipe/,
      async (r) => {
        execFileSync('mkfifo', [join(r, 'pipe')]);
        return join(r, 'pipe');
      },
    ],
    ['a model', 'CAPTURE_UNRECOGNISED', /asset\.glb is no archive/, (r) => put(r, 'asset.glb', 'glTF')],
    ['an empty file', 'CAPTURE_UNRECOGNISED', /capture is no archive/, (r) => put(r, 'capture', '')],
  ];
  it.each(cases)('%s: %s', async (_, code, says, make) => {
    const error = await errorOf(readCapture(await make(await folder())));
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(says);
    expect(error.remedy).toBeTruthy();
  });
});

describe('odd transforms files', () => {
  it('may begin with a byte order mark, and name pictures as Windows does', async () => {
    const root = await folder();
    await writeTransforms(root, {
      change: (t) => {
        t.frames[0].file_path = '.\\images\\r_0.png';
        t.frames[1].file_path = './images/r_1';
      },
    });
    const text = await readFile(join(root, 'transforms.json'), 'utf8');
    await writeFile(join(root, 'transforms.json'), `\ufeff${text}`);
    expect((await readCapture(root)).views).toHaveLength(6);
  });

  it.each([
    ['comments', '{ // cameras\n "frames": [] }', /transforms\.json.*not JSON/],
    ['nothing', '', /transforms\.json.*empty/],
    ['a list', '[]', /transforms\.json/],
    ['no frames', '{"camera_angle_x": 0.7}', /frames/],
    [
      'frames without matrices',
      '{"camera_angle_x":0.7,"frames":[{"file_path":"a.png"}]}',
      /frames\.0\.transform_matrix/,
    ],
    ['UTF-16', Buffer.from('\ufeff{"frames":[]}', 'utf16le'), /UTF-16/],
  ])('with %s are refused', async (_, text, says) => {
    const root = await folder();
    await put(root, 'transforms.json', text);
    const error = await errorOf(readCapture(root));
    expect([error.code, error.message]).toEqual(['CAPTURE_METADATA_INVALID', expect.stringMatching(says)]);
  });
});
