import type { SparseModel } from './sparseModel.js';

/**
 * The files of a COLMAP model in text form (https://colmap.github.io/format.html), by name; the lens model is RADIAL.
 */
export function colmapText({ cameras, images, points }: SparseModel): Record<string, string> {
  const features = (list: SparseModel['images'][number]['features']): string =>
    list.map(({ x, y, point }) => `${x} ${y} ${point}`).join(' ');
  return {
    'cameras.txt': [
      '# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[] (RADIAL: f, cx, cy, k1, k2)',
      ...cameras.map((c) => `${c.id} RADIAL ${c.width} ${c.height} ${c.f} ${c.cx} ${c.cy} ${c.k1} ${c.k2}`),
      '',
    ].join('\n'),
    'images.txt': [
      '# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME; then POINTS2D[] as (X, Y, POINT3D_ID)',
      ...images.map(
        (i) =>
          `${i.id} ${i.rotation.join(' ')} ${i.translation.join(' ')} ${i.camera} ${i.name}\n${features(i.features)}`,
      ),
      '',
    ].join('\n'),
    'points3D.txt': [
      '# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)',
      ...points.map(
        (p) =>
          `${p.id} ${p.position.join(' ')} ${p.color.join(' ')} ${p.error} ${p.track
            .map(({ image, feature }) => `${image} ${feature}`)
            .join(' ')}`,
      ),
      '',
    ].join('\n'),
  };
}
