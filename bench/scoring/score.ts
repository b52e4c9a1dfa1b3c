/** Scores of the benchmark against ground truth that no reader or method ever opens. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readGlb } from '../../src/asset/read/readGlb.js';
import { readCapture } from '../../src/capture/readCapture.js';
import { boundsOf, diagonalOf } from '../../src/core/bounds.js';
import { type Mat4, transformPoint, type Vec3 } from '../../src/core/math.js';
import type { Mesh } from '../../src/core/mesh.js';
import { openGpu } from '../../src/gpu/adapter/openGpu.js';
import { assess } from '../../src/quality/assess/assess.js';
import { scoreGeometry as score } from './fscore.js';
import { readPly } from './readPly.js';

/** The captures' own frame is +Z up; the assets' is +Y up. */
const Z_UP_TO_Y_UP: Mat4 = [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1];

function moved(positions: Float32Array, matrix: Mat4): Float32Array {
  const out = new Float32Array(positions.length);
  for (let i = 0; i < positions.length; i += 3) {
    out.set(transformPoint(matrix, [positions[i], positions[i + 1], positions[i + 2]] as Vec3), i);
  }
  return out;
}

/** Mean whole-frame PSNR over the test views, composited on white. */
export async function scoreNovelViews(glb: string, transforms: string): Promise<number> {
  const capture = await readCapture(transforms);
  const gpu = await openGpu();
  try {
    const { views } = await assess(gpu, glb, capture, { maxSize: 512 });
    return views.reduce((sum, v) => sum + v.psnr, 0) / views.length;
  } finally {
    gpu.dispose();
    await capture.dispose();
  }
}

/** F-score at 1 % of the true bounding box's diagonal. */
export async function scoreGeometry(glb: string, truth: string): Promise<number> {
  return await scoreMesh((await readGlb(glb)).mesh, truth);
}

async function scoreMesh(mesh: Mesh, truth: string): Promise<number> {
  const reference = await readPly(join(truth, 'gt.ply'));
  const points = await readPly(join(truth, 'gt_points.ply'));
  const { fscore } = await score(
    mesh,
    { ...reference, positions: moved(reference.positions, Z_UP_TO_Y_UP) },
    moved(points.positions, Z_UP_TO_Y_UP),
  );
  return fscore;
}

interface Truth {
  focal_over_width: number;
  camera_distance: number;
  views: Record<string, { depth_min: number; depth_max: number; value_at_min: number; value_at_max: number }>;
}

interface Estimated {
  focal: number;
  distance: number;
  views: { view: string; depthScale?: number; depthOffset?: number }[];
}

/**
 * How far the estimates for a generated capture are off: relative focal length, and depth as a share of the diagonal.
 */
export async function scoreGenerated(
  result: string,
  truthFile: string,
  truthFolder: string,
): Promise<{ focalError: number; depthError: number; fscore: number }> {
  const truth = JSON.parse(await readFile(truthFile, 'utf8')) as Truth;
  const quality = JSON.parse(await readFile(join(result, 'quality.json'), 'utf8')) as {
    capture: { estimated: Estimated };
  };
  const { estimated } = quality.capture;
  const toTruth = truth.camera_distance / estimated.distance;
  const reference = await readPly(join(truthFolder, 'gt.ply'));
  const diagonal = diagonalOf(boundsOf(reference.positions));
  let sum = 0;
  let count = 0;
  for (const view of estimated.views) {
    const t = truth.views[view.view];
    if (!t || view.depthScale === undefined || view.depthOffset === undefined) continue;
    for (let value = Math.ceil(t.value_at_min); value <= 255; value++) {
      const true_ =
        t.depth_min + ((value - t.value_at_min) / (t.value_at_max - t.value_at_min)) * (t.depth_max - t.depth_min);
      sum += Math.abs(toTruth * (view.depthScale * value + view.depthOffset) - true_);
      count++;
    }
  }
  const mesh = (await readGlb(join(result, 'asset.glb'))).mesh;
  return {
    focalError: Math.abs(estimated.focal / truth.focal_over_width - 1),
    depthError: sum / count / diagonal,
    fscore: await scoreMesh({ ...mesh, positions: mesh.positions.map((v) => v * toTruth) }, truthFolder),
  };
}
