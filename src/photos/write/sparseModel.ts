import { quaternionOf } from '../../core/quaternion.js';
import type { FoundCameras } from '../findCameras.js';
import { toWorld, worldToStored } from '../frame.js';
import type { Pose } from '../mapper/p3p.js';

/** A sparse reconstruction as COLMAP's files have it. Identifiers begin at 1. */
export interface SparseModel {
  cameras: { id: number; width: number; height: number; f: number; cx: number; cy: number; k1: number; k2: number }[];
  images: {
    id: number;
    name: string;
    camera: number;
    /** w, x, y, z: world to camera. */
    rotation: [number, number, number, number];
    translation: [number, number, number];
    /** x, y and the point's identifier of every feature that has one. */
    features: { x: number; y: number; point: number }[];
  }[];
  points: {
    id: number;
    position: [number, number, number];
    color: [number, number, number];
    /** Mean distance in pixels. */
    error: number;
    /** Image, and index into its features. */
    track: { image: number; feature: number }[];
  }[];
}

/**
 * The model in COLMAP's axes: x right, y down, z forwards; gravity along +y. That is Plinth's world turned by half a
 * turn about x, so that a reader which looks for up finds it again.
 */
export function sparseModel({ photos, features, scene, frame }: FoundCameras): SparseModel {
  const { tracks } = scene;
  const cameras = scene.lenses.map(({ width, height, f, cx, cy, k1, k2 }, i) => ({
    id: i + 1,
    width,
    height,
    f,
    cx,
    cy,
    k1,
    k2,
  }));
  const used = new Set<number>();
  const images: SparseModel['images'] = [];
  const imageOf = new Map<number, SparseModel['images'][number]>();
  for (const i of scene.registered()) {
    const { rotation: r, translation: t } = worldToStored(frame, scene.poses[i] as Pose);
    // Turned by half a turn about x: columns y and z change their sign.
    const turned = r.map((v, k) => (k % 3 === 0 ? v : -v));
    const image = {
      id: i + 1,
      name: photos[i].name,
      camera: scene.photos[i].lens + 1,
      rotation: quaternionOf(turned),
      translation: [t[0], t[1], t[2]] as [number, number, number],
      features: [],
    };
    used.add(image.camera);
    images.push(image);
    imageOf.set(i, image);
  }
  const points: SparseModel['points'] = [];
  for (let track = 0; track < tracks.count; track++) {
    if (!scene.has[track]) continue;
    const id = points.length + 1;
    const [x, y, z] = toWorld(frame, scene.position(track));
    const sum = [0, 0, 0];
    let error = 0;
    const sightings: { image: number; feature: number }[] = [];
    for (let o = tracks.starts[track]; o < tracks.starts[track + 1]; o++) {
      if (!scene.active[o]) continue;
      const photo = tracks.photos[o];
      const feature = tracks.features[o];
      const image = imageOf.get(photo);
      if (!image) continue;
      sightings.push({ image: image.id, feature: image.features.length });
      const at = feature * 2;
      image.features.push({ x: scene.photos[photo].points[at], y: scene.photos[photo].points[at + 1], point: id });
      for (let c = 0; c < 3; c++) sum[c] += features[photo].colors[feature * 3 + c];
      error += scene.distance(o);
    }
    const n = sightings.length;
    const color = sum.map((v) => Math.round(v / n)) as [number, number, number];
    points.push({ id, position: [x, -y, -z], color, error: error / n, track: sightings });
  }
  return { cameras: cameras.filter(({ id }) => used.has(id)), images, points };
}
