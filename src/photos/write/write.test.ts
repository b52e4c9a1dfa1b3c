import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { put, useFolders } from '../../../test/captureScene.js';
import { photoScene } from '../../../test/photoScene.js';
import { folderAccess, listFolder } from '../../capture/files/captureFolder.js';
import { readColmap } from '../../capture/formats/colmap.js';
import { readTransforms } from '../../capture/formats/transforms.js';
import { parsePoints } from '../../capture/layout/colmap/modelFiles.js';
import { readModel } from '../../capture/layout/colmap/pairs.js';
import { resolveReadOptions } from '../../capture/options.js';
import { determinant3, dot, type Mat4, type Vec3 } from '../../core/math.js';
import type { FoundCameras } from '../findCameras.js';
import { cameraToWorld, frameOf, toWorld } from '../frame.js';
import type { Pose } from '../mapper/p3p.js';
import { Scene } from '../mapper/scene.js';
import type { Photo } from '../read/readPhotos.js';
import { drawSparse } from './drawSparse.js';
import { sparseModel } from './sparseModel.js';
import { writeCameras } from './writeCameras.js';

const folder = useFolders();
/** Stored sideways by EXIF in turn: upright, clockwise, upside down, counter-clockwise. */
const ORIENTATIONS = [1, 6, 3, 8, 1];

/** Found cameras of a synthetic scene; photo 4 has no pose. */
async function found(root: string): Promise<FoundCameras> {
  const truth = photoScene({ photos: 5, points: 40, degrees: 70, seed: 8 });
  const photos: Photo[] = [];
  await mkdir(join(root, 'images'), { recursive: true });
  for (const [i, orientation] of ORIENTATIONS.entries()) {
    const name = `IMG ${i}.jpg`;
    const picture = {
      create: { width: 1600, height: 1200, channels: 3 as const, background: { r: 40 * i, g: 90, b: 30 } },
    };
    const file = await put(
      root,
      `images/${name}`,
      await sharp(picture).withMetadata({ orientation }).jpeg({ quality: 30 }).toBuffer(),
    );
    photos.push({ name, file, width: 1600, height: 1200, orientation });
  }
  const starts = Uint32Array.from({ length: 41 }, (_, j) => 4 * j);
  const scene = new Scene(
    truth.pixels.map((pixels) => ({ lens: 0, points: Float32Array.from(pixels) })),
    [{ ...truth.lens }],
    {
      count: 40,
      starts,
      photos: Uint32Array.from({ length: 160 }, (_, o) => o % 4),
      features: Uint32Array.from({ length: 160 }, (_, o) => o >> 2),
    },
  );
  truth.poses.slice(0, 4).forEach((pose, i) => {
    scene.poses[i] = pose;
  });
  scene.retriangulate();
  const features = photos.map((_, i) => ({
    count: 40,
    points: scene.photos[i].points,
    sigmas: new Float32Array(40).fill(2),
    descriptors: new Uint8Array(),
    bySize: new Uint32Array(40),
    colors: new Uint8Array(120).fill(10 * i + 10),
    sharpness: 0.5,
  }));
  return {
    photos,
    features,
    lenses: [],
    scene,
    frame: frameOf(scene, photos),
    verdicts: photos.map(({ name }, i) => ({
      photo: name,
      registered: i < 4,
      points: i < 4 ? 40 : 0,
      features: 40,
      sharpness: 0.5,
      code: i < 4 ? undefined : 'PHOTO_FEW_MATCHES',
    })),
    facts: {
      registered: 4,
      photos: 5,
      points: 40,
      sightings: 160,
      error: 0.1,
      meanTrackLength: 4,
      coverageGap: 200,
      lenses: [],
      pairs: 6,
      contradictingPairs: 0,
      nearPairs: 6,
      unlikePairs: 0,
      objectPoints: 40,
      sharpness: 0.5,
      turntable: false,
      up: 'cameras',
      scaleKnown: false,
    },
    warnings: [],
  };
}

describe('files of found cameras', () => {
  let root: string;
  let cameras: FoundCameras;
  beforeAll(async () => {
    root = await folder();
    cameras = await found(root);
  });

  it('the world is right-handed, its unit the mean distance of the cameras', () => {
    const { scene, frame, photos } = cameras;
    const poses = [0, 1, 2, 3].map((i) => cameraToWorld(frame, scene.poses[i] as Pose, photos[i].orientation));
    for (const m of poses) expect(determinant3(m)).toBeCloseTo(1, 9);
    const mean = poses.reduce((s, m) => s + Math.hypot(m[12], m[13], m[14]) / 4, 0);
    expect(mean).toBeCloseTo(1, 6);
    // A point keeps its place in the picture: its direction in camera axes is that of the stored pixel, turned by EXIF.
    const m = poses[1];
    const p = toWorld(frame, scene.position(3));
    const d: Vec3 = [p[0] - m[12], p[1] - m[13], p[2] - m[14]];
    const along = (c: number): number => dot(d, [m[c * 4], m[c * 4 + 1], m[c * 4 + 2]]);
    const { x, y } = scene.sighting(4 * 3 + 1);
    expect(along(0) / -along(2)).toBeCloseTo(-y, 5);
    expect(along(1) / -along(2)).toBeCloseTo(-x, 5);
  });

  it.each(['text', 'binary'] as const)('a COLMAP model in %s form reads back with the same cameras', async (form) => {
    const out = join(root, `out-${form}`, 'sparse', '0');
    await writeCameras(cameras, out, form);
    const access = folderAccess(await listFolder(out));
    const read = await readModel(access, '');
    const points3d = `points3D.${read.ending}`;
    expect(read.images.map(({ name }) => name)).toEqual(['IMG 0.jpg', 'IMG 1.jpg', 'IMG 2.jpg', 'IMG 3.jpg']);
    expect(parsePoints(await access.read(points3d), points3d).length).toBe(120);
    const { images, points } = sparseModel(cameras);
    read.images.forEach((image, i) => {
      image.rotation.forEach((v, k) => {
        expect(v).toBeCloseTo(images[i].rotation[k], 12);
      });
      image.translation.forEach((v, k) => {
        expect(v).toBeCloseTo(images[i].translation[k], 12);
      });
    });
    for (const { track, position } of points) {
      expect(track.length).toBe(4);
      expect(position.every(Number.isFinite)).toBe(true);
      for (const { image, feature } of track) {
        const owner = images.find(({ id }) => id === image);
        expect(owner?.features[feature].point).toBe(points.findIndex((p) => p.track === track) + 1);
      }
    }
  });

  it('transforms.json and the COLMAP model mean the same cameras', async () => {
    const project = join(root, 'project');
    await mkdir(join(project, 'images'), { recursive: true });
    for (const { name, file } of cameras.photos) await put(project, `images/${name}`, await readFile(file));
    const moved = { ...cameras, photos: cameras.photos.map((p) => ({ ...p, file: join(project, 'images', p.name) })) };
    await writeCameras(moved, project, 'text');
    const options = resolveReadOptions();
    const files = [{ file: 'transforms.json', split: 'train' as const }];
    const listed = await listFolder(project);
    const nerf = await readTransforms(listed, files, options);
    const { scene, frame, photos } = cameras;
    nerf.sources.forEach((source, i) => {
      const own = cameraToWorld(frame, scene.poses[i] as Pose, photos[i].orientation);
      source.cameraToWorld.forEach((v, k) => {
        expect(v).toBeCloseTo(own[k], 9);
      });
      const side = i % 2 === 1;
      expect([source.lens.width, source.lens.height]).toEqual(side ? [1200, 1600] : [1600, 1200]);
      expect(source.orient).toBe(true);
    });
    const colmap = await readColmap(listed, '', options);
    // COLMAP's reader finds up by itself: between any two cameras the motion is the same.
    const between = (a: Mat4, b: Mat4): number => Math.hypot(a[12] - b[12], a[13] - b[13], a[14] - b[14]);
    for (let i = 1; i < 4; i++) {
      expect(between(colmap.sources[0].cameraToWorld, colmap.sources[i].cameraToWorld)).toBeCloseTo(
        between(nerf.sources[0].cameraToWorld, nerf.sources[i].cameraToWorld),
        9,
      );
    }
  });

  it('the drawing shows every camera and names the photo that has none', () => {
    const svg = drawSparse(cameras);
    expect(svg.match(/<path /g)?.length).toBe(8);
    expect(svg).toContain('IMG 4.jpg: PHOTO_FEW_MATCHES');
    expect(svg).toContain('4 of 5 photos');
  });
});
