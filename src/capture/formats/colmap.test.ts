import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encode, errorOf, pinhole, put, renderEllipsoid, ringPoses, useFolders } from '../../../test/captureScene.js';
import { cross, dot, lookAt, type Mat4, multiply, transformPoint, type Vec3 } from '../../core/math.js';
import type { Lens } from '../cameras/lens.js';
import { folderAccess, listFolder } from '../files/captureFolder.js';
import { parsePoints } from '../layout/colmap/modelFiles.js';
import { readModel } from '../layout/colmap/pairs.js';
import { resolveReadOptions } from '../options.js';
import { readColmap } from './colmap.js';
import { rotationTo } from './up.js';

const folder = useFolders();
const LENS = pinhole(32, 24, 30);
/** COLMAP's frame here: world turned so that up is −y and 40° about it, as its own solutions come. */
const TURN: Mat4 = multiply(rotationTo([0, 1, 0], [0, -1, 0]), lookAt([0, 0, 0], [Math.sin(0.7), 0, -Math.cos(0.7)]));

interface Pose {
  q: number[];
  t: number[];
}

/** World-to-camera quaternion and translation with y down and z forwards. */
function colmapPose(pose: Mat4): Pose {
  const m = multiply(TURN, pose);
  const axis = (c: number, sign: number): Vec3 => [sign * m[c * 4], sign * m[c * 4 + 1], sign * m[c * 4 + 2]];
  const rows = [axis(0, 1), axis(1, -1), axis(2, -1)];
  const eye: Vec3 = [m[12], m[13], m[14]];
  const t = rows.map((row) => -dot(row, eye));
  const [r0, r1, r2] = rows;
  // Shepperd's method by its largest component.
  const squares = [
    1 + r0[0] + r1[1] + r2[2],
    1 + r0[0] - r1[1] - r2[2],
    1 - r0[0] + r1[1] - r2[2],
    1 - r0[0] - r1[1] + r2[2],
  ];
  const k = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[k]);
  const d = [r2[1] - r1[2], r0[2] - r2[0], r1[0] - r0[1]];
  const e = [r0[1] + r1[0], r0[2] + r2[0], r1[2] + r2[1]];
  const q = [
    [s / 4, d[0] / s, d[1] / s, d[2] / s],
    [d[0] / s, s / 4, e[0] / s, e[1] / s],
    [d[1] / s, e[0] / s, s / 4, e[2] / s],
    [d[2] / s, e[1] / s, e[2] / s, s / 4],
  ][k];
  return { q, t };
}

const POINTS: Vec3[] = Array.from({ length: 40 }, (_, i) => [
  Math.sin(i) * 0.5,
  Math.cos(i * 1.7) * 0.3,
  Math.sin(i * 2.3) * 0.4,
]);

async function textModel(root: string, cameraLine: string, poses: readonly Mat4[], sub = 'sparse/0'): Promise<void> {
  await put(root, `${sub}/cameras.txt`, `# Camera list\n${cameraLine}\n`);
  const images = poses.map((pose, i) => {
    const { q, t } = colmapPose(pose);
    return `${i + 1} ${q.join(' ')} ${t.join(' ')} 1 view ${i}.png\n${i === 0 ? '' : '12.5 13.5 -1'}\n`;
  });
  await put(root, `${sub}/images.txt`, `# Image list\n${images.join('')}`);
  const points = POINTS.map(
    (p, i) => `${i} ${transformPoint(TURN, p).join(' ')} 9 9 9 ${i === 5 ? 30 : 0.4} 1 0 2 1 3 2`,
  );
  await put(root, `${sub}/points3D.txt`, `# Points\n${points.join('\n')}\n`);
}

/** Writes the binary form. */
class Bytes {
  private readonly parts: Buffer[] = [];
  u32 = (v: number): this => this.add(4, (b) => b.writeUInt32LE(v));
  u64 = (v: number): this => this.add(8, (b) => b.writeBigUInt64LE(BigInt(v)));
  f64 = (...values: number[]): this => {
    for (const v of values) this.add(8, (b) => b.writeDoubleLE(v));
    return this;
  };
  raw = (bytes: Buffer): this => {
    this.parts.push(bytes);
    return this;
  };
  private add(size: number, write: (b: Buffer) => void): this {
    const b = Buffer.alloc(size);
    write(b);
    return this.raw(b);
  }
  end = (): Buffer => Buffer.concat(this.parts);
}

async function binaryModel(root: string, model: number, parameters: number[], poses: readonly Mat4[]): Promise<void> {
  const cameras = new Bytes()
    .u64(1)
    .u32(1)
    .u32(model)
    .u64(32)
    .u64(24)
    .f64(...parameters);
  await put(root, 'sparse/0/cameras.bin', cameras.end());
  const images = new Bytes().u64(poses.length);
  poses.forEach((pose, i) => {
    const { q, t } = colmapPose(pose);
    images
      .u32(i + 1)
      .f64(...q, ...t)
      .u32(1)
      .raw(Buffer.from(`view ${i}.png\0`));
    images.u64(1).f64(12.5, 13.5).raw(Buffer.alloc(8, 255));
  });
  await put(root, 'sparse/0/images.bin', images.end());
  const points = new Bytes().u64(POINTS.length);
  POINTS.forEach((p, i) => {
    points
      .u64(i)
      .f64(...transformPoint(TURN, p))
      .raw(Buffer.from([9, 9, 9]))
      .f64(i === 5 ? 30 : 0.4)
      .u64(3)
      .raw(Buffer.alloc(24));
  });
  await put(root, 'sparse/0/points3D.bin', points.end());
}

async function pictures(root: string, poses: readonly Mat4[], lens: Lens = LENS): Promise<void> {
  for (const [i, pose] of poses.entries())
    await put(root, `images/view ${i}.png`, await encode(renderEllipsoid(lens, pose).color));
}

const poses = ringPoses(6);
const options = resolveReadOptions();

async function text(cameraLine = '1 PINHOLE 32 24 30 30 16 12') {
  const root = await folder();
  await textModel(root, cameraLine, poses);
  await pictures(root, poses);
  return root;
}

describe('COLMAP', () => {
  it('finds cameras up to the turn about the up axis, which nobody knows', async () => {
    const root = await text();
    const { sources, inputToWorld } = await readColmap(await listFolder(root), '', options);
    expect(sources.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `view_${i}`));
    const up = transformPoint(inputToWorld, transformPoint(TURN, [0, 1, 0]));
    expect(up[1]).toBeGreaterThan(0.9999);
    // One rotation takes all true cameras to the ones that were read.
    const turn = multiply(inputToWorld, TURN);
    sources.forEach(({ cameraToWorld }, i) => {
      const expected = multiply(turn, poses[i]);
      for (let k = 0; k < 16; k++) expect(cameraToWorld[k]).toBeCloseTo(expected[k], 6);
    });
    expect(sources[0].lens).toMatchObject({ fx: 30, fy: 30, cx: 16, cy: 12, width: 32, height: 24 });
  });

  it('reads text and binary models alike', async () => {
    const root = await text('1 OPENCV 32 24 30 31 16 12 -0.1 0.02 0.001 -0.002');
    const other = await folder();
    await binaryModel(other, 4, [30, 31, 16, 12, -0.1, 0.02, 0.001, -0.002], poses);
    const model = async (folderPath: string) => {
      const access = folderAccess(await listFolder(folderPath));
      const read = await readModel(access, 'sparse/0');
      const points = `sparse/0/points3D.${read.ending}`;
      return { ...read, points: parsePoints(await access.read(points), points) };
    };
    const a = await model(root);
    const b = await model(other);
    expect(b.cameras).toEqual(a.cameras);
    expect(b.images.map(({ name, cameraId }) => [name, cameraId])).toEqual(
      a.images.map(({ name, cameraId }) => [name, cameraId]),
    );
    b.images.forEach((image, i) => {
      image.rotation.forEach((v, k) => {
        expect(v).toBeCloseTo(a.images[i].rotation[k], 12);
      });
      image.translation.forEach((v, k) => {
        expect(v).toBeCloseTo(a.images[i].translation[k], 12);
      });
    });
    expect(b.points).toEqual(a.points);
    // The point with an error of 30 pixels is left out.
    expect(a.points?.length).toBe((POINTS.length - 1) * 3);
  });

  it('finds the model in sparse/, and pictures and masks beside it', async () => {
    const root = await folder();
    await textModel(root, '1 SIMPLE_PINHOLE 32 24 30 16 12', poses, 'sparse');
    await pictures(root, poses);
    await put(root, 'masks/view 2.png.png', 'x');
    const { sources } = await readColmap(await listFolder(root), '', options);
    expect(sources[2].mask).toBe(join(root, 'masks/view 2.png.png'));
    expect(sources[1].mask).toBeUndefined();
  });

  it('refuses what is missing, cut short or unknown, naming it', async () => {
    const root = await text();
    const bad = async (file: string, content: string | Buffer, words: RegExp, code = 'CAPTURE_METADATA_INVALID') => {
      const copy = await text();
      await put(copy, file, content);
      const error = await errorOf(readColmap(await listFolder(copy), '', options));
      expect(error.message).toMatch(words);
      expect(error.code).toBe(code);
    };
    await bad('sparse/0/cameras.txt', '1 SPHERE 32 24 30 16 12', /SPHERE/);
    await bad('sparse/0/cameras.txt', '1 PINHOLE 32 24 30 16 12', /3 parameters/);
    await bad('sparse/0/cameras.txt', '1 PINHOLE 32 24 thirty 30 16 12', /"thirty" in line 1/);
    await bad('sparse/0/cameras.txt', '2 PINHOLE 32 24 30 30 16 12', /camera 1/);
    await bad('sparse/0/cameras.txt', '1 PINHOLE 32 24 0 0 16 12', /focal/, 'CAPTURE_CAMERA_INVALID');
    await bad('sparse/0/cameras.txt', '1 PINHOLE 32 24 nan 30 16 12', /not finite/, 'CAPTURE_CAMERA_INVALID');
    await bad('sparse/0/images.txt', '1 1 0 0 0 0 0', /line 1 is cut short/);
    await bad('sparse/0/images.txt', '# none', /no images/);
    await bad(
      'sparse/0/images.txt',
      '1 2 0 0 0 0 0 1 1 view 0.png\n\n',
      /quaternion of length 2/,
      'CAPTURE_CAMERA_INVALID',
    );
    await bad('sparse/0/images.txt', '1 1 0 0 0 0 0 1 1 gone.png\n\n', /gone\.png/, 'CAPTURE_FILE_MISSING');
    await bad('sparse/0/images.txt', '1 1 0 0 0 0 0 1 1 ../../etc/x.png\n\n', /\.\./, 'ARCHIVE_UNSAFE_PATH');
    expect((await readColmap(await listFolder(root), '', options)).sources.length).toBe(6);
    const binary = await folder();
    await binaryModel(binary, 1, [30, 30, 16, 12], poses);
    await pictures(binary, poses);
    await put(binary, 'sparse/0/images.bin', new Bytes().u64(1e9).end());
    expect((await errorOf(readColmap(await listFolder(binary), '', options))).message).toMatch(/1000000000 entries/);
    await binaryModel(binary, 77, [30, 30, 16, 12], poses);
    expect((await errorOf(readColmap(await listFolder(binary), '', options))).message).toMatch(/model number 77/);
    await mkdir(join(binary, 'empty'));
  });
});

describe('rotationTo', () => {
  it('takes one direction to the other by a rotation, opposite ones too', () => {
    const directions: Vec3[] = [
      [0, 1, 0],
      [0, -1, 0],
      [1, 0, 0],
      [0.6, -0.8, 0],
      [0, 0.28, -0.96],
      [-1, 0, 0],
    ];
    for (const from of directions)
      for (const to of directions) {
        const m = rotationTo(from, to);
        const image = transformPoint(m, from);
        image.forEach((v, k) => {
          expect(v).toBeCloseTo(to[k], 9);
        });
        const [x, y, z] = [0, 4, 8].map((i) => [m[i], m[i + 1], m[i + 2]] as Vec3);
        expect(dot(cross(x, y), z)).toBeCloseTo(1, 9);
      }
  });
});
