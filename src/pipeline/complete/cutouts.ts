import { mkdir } from 'node:fs/promises';
import type { Capture } from '../../capture/capture.js';
import { drawViews } from '../../capture/draw/drawViews.js';
import { previewFolder } from '../../platform/previewFolder.js';

/** Writes what was cut out of every picture as `cutouts.png` of a folder. */
export async function writeCutouts(capture: Capture, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await previewFolder(folder)('cutouts', await drawViews(capture, { tile: 320 }));
}
