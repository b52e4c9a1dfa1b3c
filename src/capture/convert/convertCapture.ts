import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { type Camera, resizeCamera } from '../../core/camera.js';
import type { ProgressSink, Warning } from '../../core/context.js';
import { PlinthError, throwIfCancelled, toPlinthError } from '../../core/errors.js';
import type { ColorImage } from '../../core/image.js';
import type { Capture, View } from '../capture.js';
import { encodeNpy } from '../images/npy.js';
import { colmapFiles } from './colmapFiles.js';
import type { ConvertedView } from './convertedView.js';
import { depthOnto } from './depthOnto.js';
import type { ConvertFormat } from './formats.js';
import { transformsFile } from './transformsFile.js';

export interface Conversion {
  /** Absolute path of the folder. */
  output: string;
  views: ConvertedView[];
  /** What the other format cannot hold. */
  warnings: Warning[];
}

/**
 * Writes what was understood of a capture as a clean one: undistorted pictures, pinhole cameras in one convention,
 * masks, depth in scene units. Reading it again gives the same cameras to rounding.
 *
 * `transforms`: `transforms.json`, `images/` with transparency, `depth/*.npy`, test views by name. `colmap`:
 * `sparse/0/*.txt` without points, opaque `images/`, `masks/<picture>.png`; it holds no depth and no test views, which
 * is told.
 *
 * The folder appears whole or not at all.
 * @throws `OUTPUT_EXISTS` for a folder that holds something, `OUTPUT_NOT_WRITABLE`, `CANCELLED`, and what reading
 * pictures throws.
 */
export async function convertCapture(
  capture: Capture,
  output: string,
  format: ConvertFormat,
  hooks: { signal?: AbortSignal; progress?: ProgressSink } = {},
): Promise<Conversion> {
  const path = resolve(output);
  await checkFree(path);
  const partial = join(dirname(path), `.${randomBytes(4).toString('hex')}.partial`);
  try {
    await mkdir(join(partial, 'images'), { recursive: true });
    const writer = new ViewWriter(partial, format, capture.masks !== 'none');
    const views: ConvertedView[] = [];
    for (const [i, view] of capture.views.entries()) {
      throwIfCancelled(hooks.signal);
      const fraction = i / capture.views.length;
      hooks.progress?.({ stage: 'convert', title: 'Writing pictures', fraction, detail: view.name });
      views.push(await writer.write(view));
    }
    if (format === 'transforms') await writeFile(join(partial, 'transforms.json'), transformsFile(views));
    else await writeModel(partial, views);
    throwIfCancelled(hooks.signal);
    await rmdir(path).catch(() => {}); // an empty folder gives way
    await rename(partial, path);
    return { output: path, views, warnings: [...writer.warnings, ...lost(capture, format)] };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const system = !(error instanceof PlinthError) && (error as NodeJS.ErrnoException).code !== undefined;
    throw system ? notWritable(path, error as Error) : toPlinthError(error);
  }
}

async function checkFree(path: string): Promise<void> {
  const held = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new PlinthError('OUTPUT_EXISTS', {
      found: `${path} is no folder`,
      expected: 'a folder that does not exist yet, or an empty one',
      subject: path,
    });
  });
  if (held.length === 0) return;
  throw new PlinthError('OUTPUT_EXISTS', {
    found: `${path} holds ${held.slice(0, 3).join(', ')}`,
    expected: 'a folder that does not exist yet, or an empty one',
    remedy: 'Choose another folder, or remove this one',
    subject: path,
  });
}

async function writeModel(folder: string, views: readonly ConvertedView[]): Promise<void> {
  const model = join(folder, 'sparse', '0');
  await mkdir(model, { recursive: true });
  for (const [name, text] of Object.entries(colmapFiles(views))) await writeFile(join(model, name), text);
}

/** Writes pictures, masks and depth of one view after the other. */
class ViewWriter {
  readonly warnings: Warning[] = [];
  private readonly folder: string;
  private readonly format: ConvertFormat;
  private readonly hasMasks: boolean;

  constructor(folder: string, format: ConvertFormat, hasMasks: boolean) {
    this.folder = folder;
    this.format = format;
    this.hasMasks = hasMasks;
  }

  async write(view: View): Promise<ConvertedView> {
    const picture = await view.loadColor();
    const camera = resizeCamera(view.camera, picture.width, picture.height);
    const written: ConvertedView = { image: `images/${view.name}.png`, camera, split: view.split };
    const transparent = this.hasMasks && this.format === 'transforms';
    await this.png(picture, written.image, transparent);
    if (this.hasMasks && this.format === 'colmap') {
      written.mask = `masks/${view.name}.png`;
      await mkdir(join(this.folder, 'masks'), { recursive: true });
      await alphaOf(picture).png().toFile(join(this.folder, written.mask));
    }
    if (view.depth && this.format === 'transforms') written.depth = await this.depth(view, camera);
    return written;
  }

  private async png(picture: ColorImage, path: string, transparent: boolean): Promise<void> {
    const image = pixels(picture);
    // Colours below a mask stay: an alpha channel that is taken away must not mix them with black.
    await (transparent ? image : image.removeAlpha()).png().toFile(join(this.folder, path));
  }

  private async depth(view: View, camera: Camera): Promise<string | undefined> {
    const map = await view.depth!.load();
    const from = resizeCamera(view.depth!.camera, map.width, map.height);
    const onto = depthOnto(map, from, camera);
    if (!onto) {
      this.warnings.push({
        code: 'CONVERT_DEPTH_LEFT_OUT',
        message:
          `The depth map of ${view.name} was taken from another place than its picture, which a transforms ` +
          'file cannot say: it was left out.',
        subject: view.name,
      });
      return undefined;
    }
    const path = `depth/${view.name}.npy`;
    await mkdir(join(this.folder, 'depth'), { recursive: true });
    await writeFile(join(this.folder, path), encodeNpy(onto));
    return path;
  }
}

const pixels = (image: ColorImage): Sharp =>
  sharp(Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength), {
    raw: { width: image.width, height: image.height, channels: 4 },
  });

const alphaOf = (image: ColorImage): Sharp => pixels(image).extractChannel(3).toColourspace('b-w');

/** What a COLMAP model has no place for. */
function lost({ views }: Capture, format: ConvertFormat): Warning[] {
  if (format !== 'colmap') return [];
  const out: Warning[] = [];
  const depth = views.filter((v) => v.depth).length;
  if (depth > 0) {
    out.push({
      code: 'CONVERT_DEPTH_LEFT_OUT',
      message: `A COLMAP model holds no depth: ${depth} depth maps were left out.`,
    });
  }
  const test = views.filter((v) => v.split === 'test').map((v) => v.name);
  if (test.length > 0) {
    out.push({
      code: 'CONVERT_SPLIT_LOST',
      message:
        `A COLMAP model knows no test views: ${test.length} of them ` +
        `(${test.slice(0, 3).join(', ')}${test.length > 3 ? ', …' : ''}) stand among the others.`,
    });
  }
  return out;
}

const notWritable = (path: string, cause: Error): PlinthError =>
  new PlinthError('OUTPUT_NOT_WRITABLE', {
    found: `${path} cannot be written: ${cause.message}`,
    remedy: 'Check free space and permissions',
    subject: path,
    cause,
  });
