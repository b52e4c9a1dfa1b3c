import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColmapCamera } from '../layout/colmap/cameraModels.js';
import { type ColmapImage, parseCameras, parseImages, parsePoints } from '../layout/colmap/modelFiles.js';
import { readMetadata } from './metadata.js';

export interface ColmapModel {
  cameras: Map<number, ColmapCamera>;
  /** Sorted by name, so that text and binary files give the same order. */
  images: ColmapImage[];
  /** x y z interleaved, in COLMAP's frame. */
  points?: Float64Array;
}

/** Reads a model's cameras, images and points, binary where there is such a file, else text. */
export async function readColmapModel(folder: string): Promise<ColmapModel> {
  const names = await readdir(folder);
  const ending = names.includes('cameras.bin') && names.includes('images.bin') ? 'bin' : 'txt';
  const read = async <T>(name: string, parse: (data: Uint8Array, file: string) => T): Promise<T> => {
    const file = join(folder, `${name}.${ending}`);
    return parse(await readMetadata(file), file);
  };
  const cameras = new Map((await read('cameras', parseCameras)).map((camera) => [camera.id, camera]));
  const images = await read('images', parseImages);
  const points = names.includes(`points3D.${ending}`) ? await read('points3D', parsePoints) : undefined;
  return { cameras, images, points };
}
