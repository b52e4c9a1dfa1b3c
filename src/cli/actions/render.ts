import { rename, writeFile } from 'node:fs/promises';
import { renderToPng } from '../../asset/previews/renderToPng.js';
import { readGlb } from '../../asset/read/readGlb.js';
import type { Camera } from '../../core/camera.js';
import { PlinthError } from '../../core/errors.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import { readAnyCapture } from '../../photos/readAnyCapture.js';
import type { RenderMode } from '../../render/forward/assetRenderer.js';

interface Flags {
  output: string;
  mode: RenderMode;
  width?: number;
  height?: number;
  azimuth: number;
  elevation: number;
  distance?: number;
  fov: number;
  capture?: string;
  view?: string;
  background?: string;
  supersample: number;
  adapter?: string;
}

export async function runRender(path: string, flags: Flags): Promise<void> {
  const asset = await readGlb(path);
  const { azimuth, elevation, distance, fov } = flags;
  const view = flags.capture ? await cameraOf(flags.capture, flags.view) : { azimuth, elevation, distance, fov };
  const gpu = await openGpu({ adapter: flags.adapter });
  try {
    const png = await renderToPng(gpu, asset, view, {
      mode: flags.mode,
      width: flags.width,
      height: flags.height,
      supersample: flags.supersample,
      background: flags.background === undefined ? undefined : parseColor(flags.background),
    });
    const aside = `${flags.output}.partial-${process.pid}`;
    await writeFile(aside, png);
    await rename(aside, flags.output);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `${flags.output} cannot be written: ${(error as Error).message}`,
      remedy: 'Choose another file with -o',
      subject: flags.output,
      cause: error,
    });
  } finally {
    gpu.dispose();
  }
}

async function cameraOf(path: string, name: string | undefined): Promise<Camera> {
  const capture = await readAnyCapture(path);
  try {
    const view = name === undefined ? capture.views[0] : capture.views.find((v) => v.name === name);
    if (view) return view.camera;
    throw new PlinthError('OPTION_INVALID', {
      found: `The capture has no view "${name}"`,
      expected: capture.views.map((v) => v.name).join(', '),
      subject: 'view',
    });
  } finally {
    await capture.dispose();
  }
}

function parseColor(text: string): [number, number, number] {
  const match = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (match) return [1, 2, 3].map((i) => Number.parseInt(match[i], 16) / 255) as [number, number, number];
  throw new PlinthError('OPTION_INVALID', {
    found: `--background ${text}`,
    expected: 'six hexadecimal digits',
    subject: 'background',
  });
}
