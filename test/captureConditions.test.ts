/**
 * Captures as tools and people leave them: read with the right cameras, or refused in words that name the true cause.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Capture } from '../src/capture/capture.js';
import { encodeNpy } from '../src/capture/images/npy.js';
import { readCapture } from '../src/capture/readCapture.js';
import type { Mat4 } from '../src/core/math.js';
import {
  ELLIPSOID_BOX,
  encode,
  errorOf,
  pinhole,
  put,
  renderEllipsoid,
  ringPoses,
  type TransformsFixture,
  type TransformsOptions,
  useFolders,
  writeTransforms,
} from './captureScene.js';
import { colmapCamerasText, colmapImagesText, writeColmap } from './colmapScene.js';

const folder = useFolders();
const LENS = pinhole(64, 48, 60);
const COUNT = 8;
const POSES = ringPoses(COUNT);

async function transforms(options: TransformsOptions = {}): Promise<string> {
  const root = await folder();
  await writeTransforms(root, { lens: LENS, count: COUNT, ...options });
  return root;
}

const changed = (change: (t: TransformsFixture) => void, options: TransformsOptions = {}): Promise<string> =>
  transforms({ ...options, change });

/** Renames the pictures of a capture. */
async function renameAll(root: string, from: string, nameOf: (name: string) => string): Promise<void> {
  for (const name of await readdir(join(root, from))) {
    const path = join(root, nameOf(name));
    await mkdir(join(path, '..'), { recursive: true });
    await rename(join(root, from, name), path);
  }
}

const codes = (capture: Capture): string[] => capture.warnings.map((w) => w.code);
const said = (capture: Capture, code: string): string => capture.warnings.find((w) => w.code === code)?.message ?? '';

/** Every camera is the one that the picture was rendered with; names end in its number. */
function expectCameras(capture: Capture, poses: readonly Mat4[] = POSES): void {
  for (const view of capture.views) {
    const expected = poses[Number(/(\d+)$/.exec(view.name)?.[1])];
    view.camera.cameraToWorld.forEach((v, k) => {
      expect(v, view.name).toBeCloseTo(expected[k], 6);
    });
    expect([view.camera.fx, view.camera.cx, view.camera.width]).toEqual([60, 32, 64]);
  }
}

/** The box is that of the object, which it is only where cameras, lens and masks are all understood. */
function expectObject(capture: Capture): void {
  for (let i = 0; i < 3; i++) {
    const extent = ELLIPSOID_BOX.max[i] - ELLIPSOID_BOX.min[i];
    expect(Math.abs(capture.bounds.min[i] - ELLIPSOID_BOX.min[i]) / extent).toBeLessThan(0.2);
    expect(Math.abs(capture.bounds.max[i] - ELLIPSOID_BOX.max[i]) / extent).toBeLessThan(0.2);
  }
}

describe('pictures and names of a transforms file', () => {
  it('were culled after solving: skipped with a count, refused where few are left', async () => {
    const root = await transforms();
    for (const i of [2, 5]) await rm(join(root, `images/r_${i}.png`));
    const capture = await readCapture(root);
    expect([capture.views.length, codes(capture)]).toEqual([6, ['CAPTURE_FILE_MISSING']]);
    expect(said(capture, 'CAPTURE_FILE_MISSING')).toMatch(
      /^2 of the 8 pictures that transforms\.json names are missing: images\/r_2\.png, images\/r_5\.png/,
    );
    expectCameras(capture);
    for (const i of [0, 1, 3]) await rm(join(root, `images/r_${i}.png`));
    expect((await errorOf(readCapture(root))).message).toMatch(/names 8 pictures; 5 of them are missing/);
  });

  it('of a test split were never rendered: said of the file that names them', async () => {
    const root = await transforms({ file: 'transforms_train.json' });
    const text = await readFile(join(root, 'transforms_train.json'), 'utf8');
    await put(root, 'transforms_test.json', text.replaceAll('images/r_', 'test/t_'));
    const capture = await readCapture(root);
    expect(capture.views.map((v) => v.split)).toEqual(new Array(8).fill('train'));
    expect(said(capture, 'CAPTURE_FILE_MISSING')).toMatch(/None of the 8 pictures that transforms_test\.json names/);
  });

  it.each<[string, (root: string) => Promise<unknown>, string[]]>([
    [
      'the cut-out is a PNG where the file says JPG',
      (root) => edit(root, (text) => text.replaceAll('.png"', '.jpg"')),
      ['CAPTURE_OTHER_ENDING'],
    ],
    [
      'absolute Windows paths',
      (root) => edit(root, (text) => text.replaceAll('"images/', '"C:\\\\Users\\\\me\\\\spoon\\\\images\\\\')),
      ['CAPTURE_FILES_ELSEWHERE'],
    ],
    [
      'names without their folder',
      (root) => edit(root, (text) => text.replaceAll('"images/', '"')),
      ['CAPTURE_FILES_ELSEWHERE'],
    ],
    ['pictures beside the file', (root) => renameAll(root, 'images', (name) => name), ['CAPTURE_FILES_ELSEWHERE']],
    [
      'upper-case endings of names without one',
      async (root) => {
        await edit(root, (text) => text.replaceAll('.png"', '"'));
        await renameAll(root, 'images', (name) => `images/${name.replace('.png', '.PNG')}`);
      },
      [],
    ],
    [
      'accents taken apart, as macOS does',
      async (root) => {
        await edit(root, (text) => text.replaceAll('images/', 'Möbel ö/'.normalize('NFC')));
        await renameAll(root, 'images', (name) => `${'Möbel ö'.normalize('NFD')}/${name}`);
      },
      [],
    ],
    ['folders in another case', (root) => renameAll(root, 'images', (name) => `Images/${name.toUpperCase()}`), []],
    [
      'a parent folder: cameras in a folder of their own',
      async (root) => {
        const text = (await readFile(join(root, 'transforms.json'), 'utf8')).replaceAll('"images/', '"../images/');
        await put(root, 'cams/transforms.json', text);
        await rm(join(root, 'transforms.json'));
      },
      [],
    ],
    [
      'the file in another spelling',
      (root) => rename(join(root, 'transforms.json'), join(root, 'transform_train.json')),
      [],
    ],
  ])('%s', async (_, prepare, expected) => {
    const root = await transforms();
    await prepare(root);
    const capture = await readCapture(root);
    expect([capture.views.length, codes(capture)]).toEqual([8, expected]);
    expectCameras(capture);
  });

  it('must not lead out, whatever is beside the capture', async () => {
    const outer = await folder();
    await writeTransforms(join(outer, 'capture'), { lens: LENS, count: COUNT });
    await put(outer, 'secret.png', await readFile(join(outer, 'capture/images/r_0.png')));
    await edit(join(outer, 'capture'), (text) => text.replace('images/r_0.png', '../secret.png'));
    const error = await errorOf(readCapture(join(outer, 'capture')));
    expect([error.code, error.message]).toEqual(['ARCHIVE_UNSAFE_PATH', expect.stringMatching(/secret\.png/)]);
  });

  it('repeat a frame: once where it is the same, refused where it is not', async () => {
    const same = await readCapture(await changed((t) => t.frames.push({ ...t.frames[0] })));
    expect([same.views.length, codes(same)]).toEqual([8, ['CAPTURE_DUPLICATE_FRAMES']]);
    const other = changed((t) => t.frames.push({ ...t.frames[0], transform_matrix: t.frames[1].transform_matrix }));
    expect((await errorOf(readCapture(await other))).message).toMatch(/two frames with different cameras/);
  });

  it('of splits are compared as paths, and complained of where they are no frame’s', async () => {
    const root = await changed((t) => {
      for (const frame of t.frames) frame.file_path = `./${frame.file_path}`;
      t.val_filenames = ['images/r_0.png', 'images\\r_4.PNG', 'images/r_99.png'];
    });
    const capture = await readCapture(root);
    expect(capture.views.filter((v) => v.split === 'test').map((v) => v.name)).toEqual(['r_0', 'r_4']);
    expect(said(capture, 'CAPTURE_SPLIT_UNMATCHED')).toMatch(/1 of 3 names in val_filenames.*images\/r_99\.png/);
  });

  it('of both a test and a validation split: the second is told not to be read', async () => {
    const root = await transforms({ file: 'transforms_train.json' });
    for (const split of ['val', 'test'])
      await writeTransforms(root, { lens: LENS, count: 2, folder: split, file: `transforms_${split}.json` });
    const capture = await readCapture(root);
    expect(said(capture, 'CAPTURE_SPLIT_UNREAD')).toMatch(/transforms_val\.json was not read/);
  });
});

const edit = async (root: string, change: (text: string) => string): Promise<void> =>
  writeFile(join(root, 'transforms.json'), change(await readFile(join(root, 'transforms.json'), 'utf8')));

/** A matrix with OpenCV's axes instead of OpenGL's. */
const openCv = (rows: number[][]): number[][] =>
  rows.map((row, i) => (i < 3 ? [row[0], 0 - row[1], 0 - row[2], row[3]] : row));

describe('fields of a transforms file', () => {
  it.each<[string, (t: TransformsFixture) => void, string[]]>([
    ['nulls', (t) => Object.assign(t, { k1: null, k2: null, camera_model: null, applied_scale: null }), []],
    [
      'an intrinsic matrix per frame',
      (t) => {
        for (const key of ['fl_x', 'fl_y', 'cx', 'cy']) delete t[key];
        for (const frame of t.frames)
          frame.intrinsic_matrix = [
            [60, 0, 32, 0],
            [0, 60, 24, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1],
          ];
      },
      [],
    ],
    [
      'fields of view in degrees, as instant-ngp reads them',
      (t) => {
        delete t.fl_x;
        delete t.fl_y;
        t.x_fov = (360 / Math.PI) * Math.atan(32 / 60);
      },
      [],
    ],
    [
      'OpenCV axes that are stated',
      (t) => {
        t.from_na = true;
        for (const frame of t.frames) frame.transform_matrix = openCv(frame.transform_matrix);
      },
      [],
    ],
    [
      'OpenCV axes that are not stated',
      (t) => {
        for (const frame of t.frames) frame.transform_matrix = openCv(frame.transform_matrix);
      },
      ['CAPTURE_AXES_OPENCV'],
    ],
    [
      'cameras that were turned about their own up axis',
      (t) => {
        for (const frame of t.frames)
          frame.transform_matrix = frame.transform_matrix.map((row, i) =>
            i < 3 ? [-row[0], row[1], -row[2], row[3]] : row,
          );
      },
      ['CAPTURE_AXES_TURNED'],
    ],
    [
      'focal lengths as fx and fy of each frame',
      (t) => {
        delete t.fl_x;
        delete t.fl_y;
        for (const frame of t.frames) Object.assign(frame, { fx: 60, fy: 60 });
      },
      [],
    ],
    [
      'matrices with a scale',
      (t) => {
        for (const frame of t.frames)
          frame.transform_matrix = frame.transform_matrix.map((row, i) =>
            row.map((v, c) => (i < 3 && c < 3 ? v * 0.35 : v)),
          );
      },
      ['CAPTURE_CAMERA_SCALED'],
    ],
    [
      'fields that nobody reads',
      (t) => Object.assign(t, { lidar_path: 'x', ply_file_path: 'p.ply' }),
      ['CAPTURE_KEYS_UNREAD'],
    ],
  ])('%s', async (_, change, expected) => {
    const capture = await readCapture(await changed(change));
    expect(codes(capture)).toEqual(expected);
    for (const view of capture.views) expect(view.camera.fx).toBeCloseTo(60, 9);
    for (const view of capture.views) view.camera.fx = 60;
    expectCameras(capture);
    expectObject(capture);
  });

  it.each<[string, (t: TransformsFixture) => void]>([
    [
      'instant-ngp’s',
      (t) => {
        for (const frame of t.frames) {
          frame.depth_path = frame.depth_file_path;
          delete frame.depth_file_path;
        }
        delete t.depth_unit_scale_factor;
        Object.assign(t, { enable_depth_loading: true, integer_depth_scale: 0.0005, aabb_scale: 1 });
      },
    ],
    [
      'of Open3D, in steps per unit',
      (t) => {
        for (const frame of t.frames) {
          frame.depth_image = frame.depth_file_path;
          delete frame.depth_file_path;
        }
        delete t.depth_unit_scale_factor;
        t.depth_scale = 2000;
      },
    ],
  ])('depth keys %s', async (_, change) => {
    const capture = await readCapture(await changed(change, { depthScale: 0.0005 }));
    expect(codes(capture)).toEqual([]);
    const truth = renderEllipsoid(LENS, POSES[3]).depth.data;
    const depth = await capture.views[3].depth?.load();
    expect(Math.max(...truth.map((v, i) => Math.abs(v - (depth?.data[i] ?? 9))))).toBeLessThan(0.0003);
  });

  it('depth without a unit: the usual one, else the one that fits the cameras, with a warning', async () => {
    for (const [factor, expected] of [
      [1000, []],
      [1, ['CAPTURE_DEPTH_UNIT']],
    ] as const) {
      const root = await changed((t) => {
        delete t.depth_unit_scale_factor;
        for (const [i, frame] of t.frames.entries()) frame.depth_file_path = `depth/r_${i}.npy`;
      });
      for (const [i, pose] of POSES.entries()) {
        const { depth } = renderEllipsoid(LENS, pose);
        await put(root, `depth/r_${i}.npy`, encodeNpy({ ...depth, data: depth.data.map((v) => v * factor) }));
      }
      const capture = await readCapture(root);
      expect(codes(capture)).toEqual(expected);
      const truth = renderEllipsoid(LENS, POSES[0]).depth.data;
      const read = await capture.views[0].depth?.load();
      expect(Math.max(...truth.map((v, i) => Math.abs(v - (read?.data[i] ?? 9))))).toBeLessThan(1e-5);
    }
  });

  it('depth maps, masks and pictures that nothing names are counted', async () => {
    const root = await changed(
      (t) => {
        t.frames.pop();
        for (const frame of t.frames) delete frame.depth_file_path;
      },
      { depthScale: 0.001 },
    );
    await put(root, 'masks/other.png', await readFile(join(root, 'images/r_0.png')));
    const capture = await readCapture(root);
    expect(codes(capture)).toEqual(['CAPTURE_EXTRA_IMAGES', 'CAPTURE_EXTRA_DEPTH', 'CAPTURE_EXTRA_MASKS']);
    expect(said(capture, 'CAPTURE_EXTRA_DEPTH')).toMatch(/8 depth maps in depth belong to no view/);
  });
});

describe('masks', () => {
  /** Opaque pictures over noise, and a mask of each by the given name. */
  async function masked(nameOf: (i: number) => string, invert = false): Promise<string> {
    const root = await transforms();
    for (const [i, pose] of POSES.entries()) {
      const { color } = renderEllipsoid(LENS, pose);
      const mask = Uint8Array.from({ length: 64 * 48 }, (_, p) => (color.data[p * 4 + 3] > 127 !== invert ? 255 : 0));
      for (let p = 0; p < color.data.length; p += 4) {
        if (color.data[p + 3] === 0) color.data.fill(((p >> 2) * 2654435761) % 251, p, p + 3);
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
      const raw = { width: 64, height: 48, channels: 1 as const };
      await put(root, nameOf(i), await sharp(mask, { raw }).png().toBuffer());
    }
    return root;
  }

  it.each<[string, (i: number) => string, boolean]>([
    ['Metashape', (i) => `masks/r_${i}_mask.png`, false],
    ['COLMAP', (i) => `masks/r_${i}.png.png`, false],
    ['others, beside the pictures', (i) => `images/r_${i}.mask.png`, false],
    ['instant-ngp, white to leave out', (i) => `images/dynamic_mask_r_${i}.png`, true],
    ['NeuS', (i) => `mask/r_${i}.png`, false],
  ])('are found by the names of %s', async (_, nameOf, invert) => {
    const capture = await readCapture(await masked(nameOf, invert));
    expect([capture.masks, codes(capture)]).toEqual(['files', []]);
    expectObject(capture);
  });

  it('are not the clear rim that resampling leaves around opaque pictures', async () => {
    const root = await transforms();
    for (const [i, pose] of POSES.entries()) {
      const { color } = renderEllipsoid(LENS, pose);
      for (let y = 0; y < 48; y++)
        for (let x = 0; x < 64; x++) {
          const p = (y * 64 + x) * 4;
          if (color.data[p + 3] === 0) color.data.fill(250, p, p + 3);
          color.data[p + 3] = x < 2 || y < 2 || x > 61 || y > 45 ? 0 : 255;
        }
      await put(root, `images/r_${i}.png`, await encode(color));
    }
    const capture = await readCapture(root);
    expect(capture.masks).toBe('background');
    expectObject(capture);
  });
});

describe('COLMAP projects', () => {
  const project = async (model = 'sparse/0', pictures = 'images', camera?: string): Promise<string> => {
    const root = await folder();
    await writeColmap(root, { lens: LENS, poses: POSES, model, pictures, camera });
    return root;
  };

  it.each<[string, string, string]>([
    ['the usual', 'sparse/0', 'images'],
    ['smaller pictures alone', 'sparse/0', 'images_4'],
    ['a dense workspace', 'dense/0/sparse', 'dense/0/images'],
    ['what convert scripts leave before undistortion', 'distorted/sparse/0', 'input'],
    ['within a folder', 'cup/sparse/0', 'cup/images'],
    ['a folder of another name', 'sparse/0', 'Bilder von oben'],
  ])('%s: %s with %s', async (_, model, pictures) => {
    const capture = await readCapture(await project(model, pictures));
    expect([capture.format, capture.views.length, codes(capture)]).toEqual(['colmap', 8, []]);
  });

  it('of several models: the one that most pictures are of, and the others are named', async () => {
    const root = await project('sparse/1');
    await put(root, 'sparse/0/cameras.txt', colmapCamerasText(LENS));
    await put(root, 'sparse/0/images.txt', colmapImagesText(POSES.slice(0, 3)));
    const capture = await readCapture(root);
    expect(capture.views).toHaveLength(8);
    expect(said(capture, 'CAPTURE_OTHER_MODELS')).toMatch(/sparse\/1 with 8 images was read.*sparse\/0 \(3 images\)/);
  });

  it('never pair a distorted model with pictures that were undistorted', async () => {
    const distorted = '1 SIMPLE_RADIAL 64 48 60 32 24 -0.2';
    const root = await project('dense/0/sparse', 'dense/0/images');
    await put(root, 'sparse/0/cameras.txt', colmapCamerasText(LENS, distorted));
    await put(root, 'sparse/0/images.txt', colmapImagesText(POSES));
    const capture = await readCapture(root);
    // Undistorted pictures keep their size; the distorted lens would have widened them.
    expect(capture.views.map((v) => v.camera.width)).toEqual(new Array(8).fill(64));
    await rm(join(root, 'dense/0/sparse'), { recursive: true });
    const error = await errorOf(readCapture(root));
    expect([error.code, error.message]).toEqual([
      'CAPTURE_FILE_MISSING',
      expect.stringMatching(/sparse\/0 are only in dense\/0\/images/),
    ]);
  });

  it('take the pictures of full size where those were culled and smaller ones were not', async () => {
    const root = await project();
    await mkdir(join(root, 'images_2'));
    for (const name of await readdir(join(root, 'images'))) {
      await sharp(join(root, 'images', name))
        .resize(32, 24)
        .png()
        .toFile(join(root, 'images_2', name));
    }
    await rm(join(root, 'images/r_7.png'));
    const capture = await readCapture(root);
    expect([capture.views.length, capture.views[0].camera.width]).toEqual([7, 64]);
    expect(said(capture, 'CAPTURE_FILE_MISSING')).toMatch(
      /1 of the 8 pictures that images\.txt names is missing: r_7\.png/,
    );
  });

  it('written by hand, without the empty lines between images, lose none', async () => {
    const root = await project();
    const images = await readFile(join(root, 'sparse/0/images.txt'), 'utf8');
    await writeFile(join(root, 'sparse/0/images.txt'), images.replaceAll('\n\n', '\n'));
    expect((await readCapture(root)).views).toHaveLength(8);
  });

  it('count pictures that the model does not have', async () => {
    const root = await project();
    await writeFile(join(root, 'sparse/0/images.txt'), colmapImagesText(POSES.slice(0, 6)));
    const capture = await readCapture(root);
    expect(said(capture, 'CAPTURE_EXTRA_IMAGES')).toMatch(/2 pictures in images have no camera.*r_6\.png, r_7\.png/);
  });

  it.each([
    ['SIMPLE_DIVISION', '1 SIMPLE_DIVISION 64 48 60 32 24 0', []],
    ['six numbers of FULL_OPENCV', '1 FULL_OPENCV 64 48 60 60 32 24 0 0', ['CAPTURE_LENS_CUT_SHORT']],
  ])('with %s', async (_, camera, expected) => {
    const capture = await readCapture(await project('sparse/0', 'images', camera));
    expect(codes(capture)).toEqual(expected);
    expect([capture.views[0].camera.fx, capture.views[0].camera.width]).toEqual([60, 64]);
  });

  it('with a lens that no picture plane holds are refused by the camera file', async () => {
    const error = await errorOf(readCapture(await project('sparse/0', 'images', '1 EQUIRECTANGULAR 64 48 64 48')));
    expect(error.message).toMatch(/^cameras\.txt: camera 1 has the model EQUIRECTANGULAR/);
  });

  it('with names in another case and another ending', async () => {
    const root = await project();
    await renameAll(root, 'images', (name) => `images/${name.toUpperCase().replace('.PNG', '.JPG')}`);
    // They are PNG files by another name, which decoders do not mind.
    expect((await readCapture(root)).views).toHaveLength(8);
  });
});

describe('metadata of which one is of no use', () => {
  it('gives way to others beside it, with a word', async () => {
    const root = await folder();
    await writeColmap(root, { lens: LENS, poses: POSES, model: 'sparse/0', pictures: 'images' });
    await put(root, 'transforms.json', '{"frames": [');
    const capture = await readCapture(root);
    expect(capture.format).toBe('colmap');
    expect(said(capture, 'CAPTURE_OTHER_METADATA')).toMatch(/transforms\.json could not be used .*not JSON/);
  });
});

describe('formats without a decoder', () => {
  it('are named for what they are', async () => {
    const photos = await folder();
    for (const i of [0, 1]) await put(photos, `IMG_${i}.HEIC`, 'x');
    expect((await errorOf(readCapture(photos))).message).toMatch(/2 HEIC pictures \(IMG_0\.HEIC, IMG_1\.HEIC\).*JPEG/s);
    const video = await folder();
    await put(video, 'clip.mov', 'x');
    expect((await errorOf(readCapture(video))).message).toMatch(/a video \(clip\.mov\).*ffmpeg/s);
    const root = await transforms();
    await edit(root, (text) => text.replaceAll('.png"', '.HEIC"'));
    for (const name of await readdir(join(root, 'images'))) {
      await copyFile(join(root, 'images', name), join(root, 'images', name.replace('.png', '.HEIC')));
    }
    // Converted pictures beside them are taken.
    expect(codes(await readCapture(root))).toEqual(['CAPTURE_OTHER_ENDING']);
    for (const name of await readdir(join(root, 'images')))
      if (name.endsWith('.png')) await rm(join(root, 'images', name));
    const error = await errorOf(readCapture(root));
    expect([error.code, error.message]).toEqual([
      'IMAGE_UNREADABLE',
      expect.stringMatching(/8 of 8 pictures are HEIC files/),
    ]);
  });
});

describe('coordinates far from the origin', () => {
  it('are read about one of their own, to a millionth of a unit', async () => {
    const root = await changed((t) => {
      for (const frame of t.frames) {
        frame.transform_matrix[0][3] += 437_000;
        frame.transform_matrix[1][3] += 5_860_000;
      }
    });
    const capture = await readCapture(root);
    expect(codes(capture)).toEqual(['CAPTURE_FAR_FROM_ORIGIN']);
    const shift = capture.inputToWorld.slice(12, 15);
    const near = await readCapture(await transforms());
    capture.views.forEach((view, i) => {
      // World x is the input's x, world z its −y: back in the input's place, every camera stands where the file says.
      const [x, y, z] = view.camera.cameraToWorld.slice(12, 15).map((v, k) => v - shift[k]);
      const [a, b, c] = near.views[i].camera.cameraToWorld.slice(12, 15);
      expect(x - 437_000).toBeCloseTo(a, 6);
      expect(y).toBeCloseTo(b, 6);
      expect(z + 5_860_000).toBeCloseTo(c, 6);
      expect(Math.hypot(...view.camera.cameraToWorld.slice(12, 15))).toBeLessThan(10);
    });
    expect(near.inputToWorld.slice(12, 15)).toEqual([0, 0, 0]);
  });
});

const odd = resolve('../shared/captures-odd');

describe.skipIf(!existsSync(join(odd, 'c00-base')))('the captures kept beside the repository', () => {
  const READ: [string, number, string[]][] = [
    ['c01-test-unrendered', 24, ['CAPTURE_FILE_MISSING']],
    ['c02-culled-colmap', 21, ['CAPTURE_FILE_MISSING']],
    ['c03-rembg-colmap', 24, ['CAPTURE_OTHER_ENDING']],
    ['c05a-auto-workspace', 24, []],
    ['c05c-larger-model-in-1', 20, ['CAPTURE_OTHER_MODELS', 'CAPTURE_EXTRA_IMAGES']],
    ['c05d-distorted-convert', 24, []],
    ['c07-neus2', 24, []],
    ['c07b-neus-idr', 24, []],
    ['c10-polycam-raw', 24, []],
    ['c12d-metashape-mask-names', 24, []],
    ['c31-some-masks', 24, ['CAPTURE_MASKS_PARTIAL']],
  ];
  it.each(READ)('%s has %i views', async (name, count, expected) => {
    const capture = await readCapture(join(odd, name));
    expect([capture.views.length, codes(capture)]).toEqual([count, expected]);
    // The object is Suzanne of two units, however the frame lies.
    const size = [0, 1, 2].map((i) => capture.bounds.max[i] - capture.bounds.min[i]).sort((a, b) => a - b);
    for (const [i, expectedSize] of [1.411, 1.525, 1.997].entries()) expect(size[i]).toBeCloseTo(expectedSize, 1);
  });
});
