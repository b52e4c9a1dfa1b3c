import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  errorOf,
  pinhole,
  put,
  renderEllipsoid,
  ringPoses,
  type TransformsFixture,
  type TransformsOptions,
  useFolders,
  writeTransforms,
} from '../../../test/captureScene.js';
import { listFolder } from '../files/captureFolder.js';
import { resolveReadOptions } from '../options.js';
import { readTransforms } from './transforms.js';

const folder = useFolders();

async function read(options: TransformsOptions = {}, prepare?: (root: string) => Promise<unknown>) {
  const root = await folder();
  await writeTransforms(root, { lens: pinhole(32, 24, 30), count: 3, ...options });
  await prepare?.(root);
  const file = options.file ?? 'transforms.json';
  return readTransforms(await listFolder(root), [{ file, split: 'train' }], resolveReadOptions());
}

const changed = (change: (t: TransformsFixture) => void) => read({ change });

describe('transforms', () => {
  it('turns +Z up cameras into +Y up and keeps scale and origin', async () => {
    const { sources, inputToWorld } = await read();
    const poses = ringPoses(3);
    sources.forEach(({ cameraToWorld }, i) => {
      for (let k = 0; k < 16; k++) expect(cameraToWorld[k]).toBeCloseTo(poses[i][k], 9);
    });
    // Input z is world y; input y is world −z.
    expect(inputToWorld).toEqual([1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    expect(sources.map(({ name }) => name)).toEqual(['r_0', 'r_1', 'r_2']);
  });

  it('tells the dialects apart', async () => {
    const format = async (change: (t: TransformsFixture) => void) => (await changed(change)).format;
    expect(
      await format((t) => {
        t.aabb_scale = 4;
      }),
    ).toBe('instant-ngp');
    expect(
      await format((t) => {
        t.camera_model = 'OPENCV';
      }),
    ).toBe('nerfstudio');
    expect(
      await format((t) => {
        delete t.fl_x;
        delete t.fl_y;
        t.camera_angle_x = 0.7;
      }),
    ).toBe('nerf-synthetic');
  });

  it.each(['transform', 'transform_matrix'])(
    'reads a bare list of frames, as nerfstudio exports cameras: %s',
    async (name) => {
      const plain = await read();
      const { sources, warnings } = await read({}, async (root) => {
        const { frames, ...lens }: TransformsFixture = JSON.parse(
          await readFile(join(root, 'transforms.json'), 'utf8'),
        );
        const list = frames.map(({ transform_matrix, ...frame }) => ({
          ...lens,
          ...frame,
          [name]: transform_matrix.slice(0, 3),
        }));
        await put(root, 'transforms.json', JSON.stringify(list));
      });
      expect(warnings).toEqual([]);
      expect(sources).toEqual(plain.sources.map((source) => ({ ...source, image: expect.stringContaining('r_') })));
    },
  );

  it('tells of the other matrix where a frame of a bare list has two', async () => {
    const { warnings } = await read({}, async (root) => {
      const { frames, ...lens }: TransformsFixture = JSON.parse(await readFile(join(root, 'transforms.json'), 'utf8'));
      const list = frames.map((frame) => ({ ...lens, ...frame, transform: frame.transform_matrix.slice(0, 3) }));
      await put(root, 'transforms.json', JSON.stringify(list));
    });
    expect(warnings).toMatchObject([{ code: 'CAPTURE_KEYS_UNREAD', message: expect.stringContaining('transform') }]);
  });

  it('reads the focal length from fl_x, camera_angle_x or both angles', async () => {
    const lens = async (change: (t: TransformsFixture) => void) => (await changed(change)).sources[0].lens;
    expect(await lens(() => {})).toMatchObject({ fx: 30, fy: 30, cx: 16, cy: 12 });
    const angle = await lens((t) => {
      for (const key of ['fl_x', 'fl_y', 'cx', 'cy', 'w', 'h']) delete t[key];
      t.camera_angle_x = 2 * Math.atan(16 / 40);
    });
    expect(angle).toMatchObject({ cx: 16, cy: 12, width: 32, height: 24 });
    expect(angle.fx).toBeCloseTo(40, 9);
    expect(angle.fy).toBeCloseTo(40, 9);
  });

  it('lets a frame have intrinsics of its own, the focal length as a whole', async () => {
    const { sources } = await changed((t) => {
      Object.assign(t.frames[1], { fl_x: 55, cx: 15 });
      Object.assign(t.frames[2], { camera_angle_x: Math.PI / 2 });
    });
    expect(sources[0].lens).toMatchObject({ fx: 30, fy: 30, cx: 16 });
    expect(sources[1].lens).toMatchObject({ fx: 55, fy: 55, cx: 15 });
    expect(sources[2].lens.fx).toBeCloseTo(16, 9);
  });

  it('passes distortion on, fisheye too', async () => {
    const brown = await changed((t) => Object.assign(t, { k1: -0.1, k2: 0.01, p1: 0.001, p2: -0.002 }));
    expect(brown.sources[0].lens).toMatchObject({ model: 'brown', k: [-0.1, 0.01, 0, 0], p: [0.001, -0.002] });
    const fisheye = await changed((t) => Object.assign(t, { camera_model: 'OPENCV_FISHEYE', k1: 0.02 }));
    expect(fisheye.sources[0].lens).toMatchObject({ model: 'fisheye', k: [0.02, 0, 0, 0] });
    const error = await errorOf(
      changed((t) => {
        t.camera_model = 'EQUIRECTANGULAR';
      }),
    );
    expect([error.code, error.message.includes('EQUIRECTANGULAR')]).toEqual(['CAPTURE_METADATA_INVALID', true]);
  });

  it('finds pictures without ending, of any format', async () => {
    const { sources } = await read(
      {
        change: (t) => {
          for (const frame of t.frames) frame.file_path = `./${frame.file_path.replace('.png', '')}`;
        },
      },
      async (root) => {
        await sharp(join(root, 'images/r_1.png')).webp({ lossless: true }).toFile(join(root, 'images/r_1.webp'));
        await rm(join(root, 'images/r_1.png'));
      },
    );
    expect(sources.map(({ image }) => image.split('/').pop())).toEqual(['r_0.png', 'r_1.webp', 'r_2.png']);
  });

  it('finds depth, its scale and masks', async () => {
    const { sources } = await read(
      {
        depthScale: 0.0005,
        change: (t) => {
          t.frames[1].mask_path = 'm/one.png';
        },
      },
      async (root) => {
        await put(root, 'm/one.png', 'x');
        await put(root, 'masks/r_0.png', 'x');
      },
    );
    expect(sources[0].depth).toMatchObject({ scale: 0.0005 });
    expect(sources[0].mask).toMatch(/masks\/r_0\.png$/);
    expect(sources[1].mask).toMatch(/m\/one\.png$/);
    expect(sources[2].mask).toBeUndefined();
  });

  it('holds out the frames that nerfstudio lists for validation and test', async () => {
    const { sources } = await changed((t) => {
      t.train_filenames = ['images/r_0.png', 'images/r_1.png'];
      t.val_filenames = ['images/r_2.png'];
    });
    expect(sources.map(({ split }) => split)).toEqual(['train', 'train', 'test']);
  });

  it('gives names that are unique and fit for files', async () => {
    const root = await folder();
    const make = (split: string) =>
      writeTransforms(root, { lens: pinhole(32, 24, 30), count: 2, folder: split, file: `transforms_${split}.json` });
    await make('train');
    await make('test');
    const { sources } = await readTransforms(
      await listFolder(root),
      [
        { file: 'transforms_train.json', split: 'train' },
        { file: 'transforms_test.json', split: 'test' },
      ],
      resolveReadOptions(),
    );
    expect(sources.map(({ name, split }) => [name, split])).toEqual([
      ['train_r_0', 'train'],
      ['train_r_1', 'train'],
      ['test_r_0', 'test'],
      ['test_r_1', 'test'],
    ]);
    const odd = await read(
      {
        change: (t) => {
          t.frames[0].file_path = 'images/花 瓶 (1).png';
        },
      },
      (folderPath) =>
        sharp({ create: { width: 32, height: 24, channels: 4, background: '#000' } }).toFile(
          join(folderPath, 'images/花 瓶 (1).png'),
        ),
    );
    expect(odd.sources[0].name).toBe('花_瓶_1_');
  });

  it('reports applied_transform and warns of pictures that no frame names', async () => {
    const { estimated, warnings } = await changed((t) => {
      t.applied_transform = [
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        [0, -1, 0, 0],
      ];
      t.frames.pop();
    });
    expect(estimated?.applied_transform).toEqual([
      [1, 0, 0, 0],
      [0, 0, 1, 0],
      [0, -1, 0, 0],
    ]);
    expect(warnings).toEqual([expect.objectContaining({ code: 'CAPTURE_EXTRA_IMAGES', subject: 'r_2.png' })]);
  });
});

describe('transforms that are wrong', () => {
  const code = async (change: (t: TransformsFixture) => void) => {
    const error = await errorOf(changed(change));
    return [error.code, error.message] as const;
  };

  it('names missing pictures and how many they are', async () => {
    const [found, message] = await code((t) => {
      t.frames[1].file_path = 'images/gone.png';
      t.frames[2].file_path = 'images/lost';
    });
    expect(found).toBe('CAPTURE_FILE_MISSING');
    expect(message).toMatch(/names 3 pictures; 2 of them are missing: images\/gone\.png, images\/lost/);
  });

  it('names missing depth maps and masks', async () => {
    for (const key of ['depth_file_path', 'mask_path']) {
      const [found, message] = await code((t) => {
        t.frames[0][key] = 'there/is.png';
      });
      expect([found, message.includes('there/is.png')]).toEqual(['CAPTURE_FILE_MISSING', true]);
    }
  });

  it.each(['../outside.png', '/etc/passwd', 'C:\\pictures\\a.png'])('refuses the path %j', async (path) => {
    for (const key of ['file_path', 'depth_file_path', 'mask_path']) {
      const [found, message] = await code((t) => {
        t.frames[0][key] = path;
      });
      expect([found, message.includes(JSON.stringify(path))]).toEqual(['ARCHIVE_UNSAFE_PATH', true]);
    }
  });

  it('refuses cameras of no use, naming the frame', async () => {
    const cases: [(t: TransformsFixture) => void, string, RegExp][] = [
      [
        (t) => {
          t.frames[1].transform_matrix[0][0] = 5;
        },
        'CAPTURE_CAMERA_INVALID',
        /r_1\.png.*not rigid/,
      ],
      [
        (t) => {
          for (const row of t.frames[1].transform_matrix) row[0] = -row[0];
        },
        'CAPTURE_CAMERA_INVALID',
        /r_1\.png.*left-handed/,
      ],
      [
        (t) => {
          t.fl_x = 0;
        },
        'CAPTURE_CAMERA_INVALID',
        /focal length/,
      ],
      [
        (t) => {
          delete t.fl_x;
          delete t.fl_y;
        },
        'CAPTURE_CAMERA_INVALID',
        /no focal length.*camera_angle_x/,
      ],
      [
        (t) => {
          delete t.fl_x;
          delete t.fl_y;
          t.camera_angle_x = 39.6;
        },
        'CAPTURE_CAMERA_INVALID',
        /radians/,
      ],
      [
        (t) => {
          t.w = 24;
          t.h = 24;
        },
        'IMAGE_SIZE_MISMATCH',
        /32 × 24.*24 × 24/,
      ],
      [
        (t) => {
          t.frames = [];
        },
        'CAPTURE_METADATA_INVALID',
        /no frames/,
      ],
      [
        (t) => {
          t.frames[2].transform_matrix.pop();
          t.frames[2].transform_matrix.pop();
        },
        'CAPTURE_METADATA_INVALID',
        /frames\.2\.transform_matrix/,
      ],
      [
        (t) => {
          t.frames[2].file_path = t.frames[0].file_path;
        },
        'CAPTURE_METADATA_INVALID',
        /r_0\.png is named by two/,
      ],
      [
        (t) => {
          t.depth_unit_scale_factor = -1;
          t.frames[0].depth_file_path = 'images/r_1.png';
        },
        'CAPTURE_METADATA_INVALID',
        /depth_unit_scale_factor/,
      ],
    ];
    for (const [change, expected, words] of cases) {
      const [found, message] = await code(change);
      expect(message).toMatch(words);
      expect(found).toBe(expected);
    }
  });

  it('names the frame whose matrix holds NaN, as Python writes it', async () => {
    const error = await errorOf(
      read({}, async (root) => {
        const { writeFile, readFile } = await import('node:fs/promises');
        const file = join(root, 'transforms.json');
        const json = JSON.parse(await readFile(file, 'utf8')) as TransformsFixture;
        json.frames[2].transform_matrix[1][3] = 12345;
        await writeFile(file, JSON.stringify(json).replace('12345', 'NaN'));
      }),
    );
    expect([error.code, error.message.includes('r_2.png')]).toEqual(['CAPTURE_CAMERA_INVALID', true]);
  });

  it('refuses what is not JSON, and too many frames', async () => {
    const broken = await errorOf(read({}, (root) => put(root, 'transforms.json', '{"frames": [')));
    expect([broken.code, broken.message.includes('transforms.json')]).toEqual(['CAPTURE_METADATA_INVALID', true]);
    const root = await folder();
    await writeTransforms(root, { lens: pinhole(32, 24, 30), count: 3 });
    const files = [{ file: 'transforms.json', split: 'train' as const }];
    const error = await errorOf(readTransforms(await listFolder(root), files, resolveReadOptions({ maxViews: 2 })));
    expect(error.message).toContain('maxViews');
  });
});

describe('EXIF', () => {
  it.each([
    // As wide as 35-mm film, and of another shape: equivalent is the angle across the diagonal.
    [36, 24, 50],
    [40, 30, (50 * 50) / Math.hypot(36, 24)],
  ])('takes the focal length of %i × %i pixels from EXIF, with a warning', async (width, height, expected) => {
    const { color } = renderEllipsoid(pinhole(width, height, 30), ringPoses(1)[0]);
    const { sources, warnings } = await read(
      {
        lens: pinhole(width, height, 30),
        change: (t) => {
          delete t.fl_x;
          delete t.fl_y;
          for (const frame of t.frames) frame.file_path = frame.file_path.replace('.png', '.jpg');
        },
      },
      async (root) => {
        for (const i of [0, 1, 2]) {
          await sharp(color.data, { raw: { width, height, channels: 4 } })
            .flatten()
            .withExif({ IFD0: { Make: 'Test' }, IFD2: { FocalLengthIn35mmFilm: '50' } })
            .jpeg()
            .toFile(join(root, `images/r_${i}.jpg`));
          await rm(join(root, `images/r_${i}.png`));
        }
      },
    );
    expect(sources[0].lens.fx).toBeCloseTo(expected, 6);
    expect(warnings.map(({ code }) => code)).toContain('CAPTURE_FOCAL_FROM_EXIF');
  });
});
