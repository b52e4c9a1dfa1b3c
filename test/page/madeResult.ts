/** A finished result of a known thing in a known light, made without reconstructing: its pictures are its own renders. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePreviews } from '../../src/asset/previews/previews.js';
import { writeAsset } from '../../src/asset/write/writeAsset.js';
import { captureFromViews } from '../../src/capture/captureFromViews.js';
import type { Asset } from '../../src/core/asset.js';
import type { Camera } from '../../src/core/camera.js';
import type { ColorImage } from '../../src/core/image.js';
import { multiply } from '../../src/core/math.js';
import { VERSION } from '../../src/core/version.js';
import type { Gpu } from '../../src/gpu/runtime/gpu.js';
import { assess } from '../../src/quality/assess/assess.js';
import { buildQuality, describeFiles, writeQuality } from '../../src/quality/report/qualityJson.js';
import { writeReport } from '../../src/quality/report/report.js';
import { AssetRenderer } from '../../src/render/forward/assetRenderer.js';
import { fitOrbit, orbitCamera } from '../../src/render/forward/orbit.js';
import { paintStudio } from '../../src/render/forward/studio.js';
import { box, picture } from '../texturedShapes.js';

const WIDTH = 280;
const HEIGHT = 220;

/** Lit from one side by a warm lamp and from above by a blue sky, so that a light that is turned shows. */
const LIGHT = paintStudio(
  {
    zenith: [0.4, 0.5, 0.75],
    horizon: [0.5, 0.42, 0.36],
    nadir: [0.12, 0.1, 0.08],
    boxes: [{ azimuth: -120, elevation: 25, width: 24, height: 20, radiance: [5, 3.6, 2.2] }],
  },
  64,
  32,
);

/** A taller than wide rounded box whose six sides have six colours, half matt and half glossy. */
export const madeAsset: Asset = {
  mesh: box([0.6, 1, 0.45], 10, 0.35),
  material: {
    kind: 'pbr',
    baseColor: picture(96, 64, (x, y) => [
      90 + 80 * (Math.floor(x / 32) % 3),
      200 - 90 * Math.floor(y / 32),
      60 + 20 * (Math.floor(x / 8 + Math.floor(y / 8)) % 2),
    ]),
    occlusionRoughnessMetallic: picture(96, 64, (x, y) => [255 - y, x < 48 ? 200 : 110, 0]),
    normal: picture(96, 64, (x) => [128 + 20 * Math.sin(x), 128, 250]),
  },
  environment: LIGHT,
};

/** Cameras all round; the last is rolled, looks past the object and has a lens that is wider than high. */
function cameras(): Camera[] {
  const orbit = fitOrbit(madeAsset.mesh, { elevation: 20 }, WIDTH / HEIGHT, [0, 60, 120, 180, 240, 300]);
  const round = [0, 60, 120, 180, 240, 300].map((azimuth) => orbitCamera({ ...orbit, azimuth }, WIDTH, HEIGHT));
  const odd = orbitCamera({ ...orbit, azimuth: 35, distance: orbit.distance * 1.15 }, WIDTH, HEIGHT);
  const [c, s] = [Math.cos(0.35), Math.sin(0.35)];
  const roll = [c, s, 0, 0, -s, c, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  return [
    ...round,
    {
      ...odd,
      cameraToWorld: multiply(odd.cameraToWorld, roll),
      cx: WIDTH * 0.46,
      cy: HEIGHT * 0.55,
      fx: odd.fx * 1.06,
    },
  ];
}

/** Puts a room behind the object, under its transparency, as photographs that were cut out still have it. */
function inRoom({ width, height, data }: ColorImage): ColorImage {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < width * height; i++) {
    if (data[i * 4 + 3] > 0) continue;
    out.set([150 + (i % 7) * 5, 120 + (i % width) / 4, 200 - Math.floor(i / width) / 2], i * 4);
  }
  return { width, height, data: out };
}

/** Writes `asset.glb` and its kin, previews, assessment, `quality.json` and `report.html` into a folder. */
export async function makeResult(gpu: Gpu, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const renderer = await AssetRenderer.create(gpu, madeAsset);
  const views = [];
  for (const [i, camera] of cameras().entries()) {
    const { color } = await renderer.render(camera, { supersample: 3 });
    views.push({ name: `side_${i}`, color: inRoom(color), camera });
  }
  renderer.dispose();
  const capture = await captureFromViews(views, { name: 'made' });
  await writeAsset(madeAsset, folder);
  await writePreviews(gpu, madeAsset, join(folder, 'previews'), { size: 96, frames: 3 });
  const assessment = await assess(gpu, join(folder, 'asset.glb'), capture, { heldOut: ['side_3'] }, folder);
  const quality = buildQuality({
    assessment,
    capture,
    method: { name: 'nvdiffrec', preset: 'standard', options: {} },
    seed: 0,
    plinth: VERSION,
    warnings: [],
    files: await describeFiles(folder),
    run: { adapter: gpu.adapter, timings: [{ stage: 'optimise', title: 'Optimising', seconds: 1 }] },
  });
  await writeQuality(folder, quality);
  await writeReport(folder, quality);
}
