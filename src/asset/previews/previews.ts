import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type OverlayOptions } from 'sharp';
import type { Asset } from '../../core/asset.js';
import type { Camera } from '../../core/camera.js';
import type { ProgressSink } from '../../core/context.js';
import { throwIfCancelled } from '../../core/errors.js';
import { GROUND_SHADOW } from '../../core/groundShadow.js';
import type { ColorImage, HdrImage } from '../../core/image.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { AssetRenderer, type RenderOptions } from '../../render/forward/assetRenderer.js';
import { type ContactShadow, contactShadow } from '../../render/forward/contactShadow.js';
import { fitOrbit, orbitCamera } from '../../render/forward/orbit.js';
import { NEUTRAL_STUDIO, NIGHT_STUDIO, paintStudio, SUNSET_STUDIO } from '../../render/forward/studio.js';
import { animateWebp } from './animatedWebp.js';
import { encodePng } from './renderToPng.js';

/** Side of a cell in the contact sheets, relative to a view. */
const CELL = 0.7;
const AZIMUTHS = [0, 45, 90, 135, 180, 225, 270, 315];
const ELEVATION = 18;
/** Seconds for one turn, and its side relative to a view. */
const TURN = { seconds: 3.2, size: 0.78 };
/** Backdrop from its middle to its corners, sRGB bytes. */
const BACKDROP = { middle: [246, 247, 248], corner: [214, 217, 221] } as const;

export interface PreviewOptions {
  /** Side of the single views in pixels. Default 512. */
  size?: number;
  /** Frames of the turntable. Default 40. */
  frames?: number;
  signal?: AbortSignal;
  progress?: ProgressSink;
}

/**
 * Writes pictures of an asset into a folder (made if need be): eight textured and eight clay views with transparent
 * ground at 45° steps, `contact-sheet.png` with all of them, `turntable.webp`, and for assets that can be lit anew
 * `relit-sheet.png` under three lights.
 * @returns the file names
 */
export async function writePreviews(
  gpu: Gpu,
  asset: Asset,
  folder: string,
  { size = 512, frames: frameCount = 40, signal, progress }: PreviewOptions = {},
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const renderer = await AssetRenderer.create(gpu, asset);
  const files: string[] = [];
  const write = async (name: string, bytes: Buffer) => {
    await writeFile(join(folder, name), bytes);
    files.push(name);
  };
  const report = (fraction: number, detail: string) =>
    progress?.({ stage: 'previews', title: 'Rendering previews', fraction, detail });
  try {
    const frames = Array.from({ length: frameCount }, (_, i) => (i * 360) / frameCount);
    const orbit = fitOrbit(asset.mesh, { elevation: ELEVATION }, 1, [...AZIMUTHS, ...frames]);
    const cameras = AZIMUTHS.map((azimuth) => orbitCamera({ ...orbit, azimuth }, size, size));
    // In its own light an asset looks as in its photographs; highlights of a light of ours are rolled off.
    const toneMap = asset.environment === undefined;
    const shadow = await contactShadow(renderer);
    const sheet: Buffer[] = [];
    for (const mode of ['textured', 'clay'] as const) {
      report(mode === 'textured' ? 0 : 0.15, `${mode} views`);
      const options: RenderOptions = { mode, supersample: 3, toneMap };
      let i = 0;
      for await (const { color } of renderer.renderEach(cameras, options, signal)) {
        await write(`${mode}-${String(AZIMUTHS[i]).padStart(3, '0')}.png`, await encodePng(color));
        sheet.push(await cell(onBackdrop(color, cameras[i], shadow)));
        i++;
      }
    }
    report(0.3, 'contact sheet');
    await write('contact-sheet.png', await arrange(sheet, 4, cellSize(size)));
    if (asset.material.kind === 'pbr') {
      report(0.35, 'under other lights');
      await write('relit-sheet.png', await relitSheet(renderer, cameras, shadow, signal));
    }
    report(0.45, 'turntable');
    const side = Math.round(size * TURN.size);
    const turn = frames.map((azimuth) => orbitCamera({ ...orbit, azimuth }, side, side));
    const pictures: ColorImage[] = [];
    for await (const { color } of renderer.renderEach(turn, { supersample: 2, toneMap }, signal)) {
      pictures.push(onBackdrop(color, turn[pictures.length], shadow));
      report(0.45 + (0.35 * pictures.length) / turn.length, `turntable, frame ${pictures.length} of ${turn.length}`);
    }
    throwIfCancelled(signal);
    await write('turntable.webp', await animate(pictures));
    report(1, 'done');
    return files;
  } finally {
    renderer.dispose();
  }
}

/** Composites a picture on the backdrop with the object's shadow on the ground. */
function onBackdrop(image: ColorImage, camera: Camera, shadow: ContactShadow): ColorImage {
  const { width, height, data } = image;
  const out = new Uint8ClampedArray(data.length);
  const shade = shadow.draw(camera);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const alpha = data[at + 3] / 255;
      const r = Math.hypot((2 * x) / width - 1, (2 * y) / height - 1) / Math.SQRT2;
      const dark = 1 - GROUND_SHADOW.strength * shade[y * width + x];
      for (let c = 0; c < 3; c++) {
        const ground = (BACKDROP.middle[c] + (BACKDROP.corner[c] - BACKDROP.middle[c]) * r * r) * dark;
        out[at + c] = data[at + c] * alpha + ground * (1 - alpha);
      }
      out[at + 3] = 255;
    }
  }
  return { width, height, data: out };
}

const raw = ({ width, height, data }: ColorImage) =>
  sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), { raw: { width, height, channels: 4 } });

const cell = (image: ColorImage): Promise<Buffer> =>
  raw(image)
    .resize(cellSize(image.width), cellSize(image.width), { kernel: 'lanczos3' })
    .removeAlpha()
    .png({ compressionLevel: 1 })
    .toBuffer();

const cellSize = (viewSize: number): number => Math.round(viewSize * CELL);

/** Puts square cells into rows. */
async function arrange(cells: readonly Buffer[], columns: number, side: number): Promise<Buffer> {
  const parts: OverlayOptions[] = cells.map((input, i) => ({
    input,
    left: (i % columns) * side,
    top: Math.floor(i / columns) * side,
  }));
  const height = Math.ceil(cells.length / columns) * side;
  const background = { r: BACKDROP.corner[0], g: BACKDROP.corner[1], b: BACKDROP.corner[2] };
  return await sharp({ create: { width: columns * side, height, channels: 3, background } })
    .composite(parts)
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Every other view, one row per light; the lights stand still relative to the camera. */
async function relitSheet(
  renderer: AssetRenderer,
  cameras: readonly Camera[],
  shadow: ContactShadow,
  signal?: AbortSignal,
): Promise<Buffer> {
  const cells: Buffer[] = [];
  for (const studio of [NEUTRAL_STUDIO, SUNSET_STUDIO, NIGHT_STUDIO]) {
    const environment: HdrImage = paintStudio(studio);
    for (let i = 0; i < cameras.length; i += 2) {
      throwIfCancelled(signal);
      const environmentRotation = (AZIMUTHS[i] * Math.PI) / 180;
      const options: RenderOptions = { environment, environmentRotation, supersample: 3, toneMap: true };
      const { color } = await renderer.render(cameras[i], options);
      cells.push(await cell(onBackdrop(color, cameras[i], shadow)));
    }
  }
  return await arrange(cells, 4, cellSize(cameras[0].width));
}

async function animate(frames: readonly ColorImage[]): Promise<Buffer> {
  const [{ width, height }] = frames;
  const encoded = await Promise.all(
    frames.map((frame) => raw(frame).removeAlpha().webp({ quality: 84, effort: 3, smartSubsample: true }).toBuffer()),
  );
  return animateWebp(encoded, width, height, Math.round((TURN.seconds * 1000) / frames.length));
}
