import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../test/captureScene.js';
import { type InspectLimits, inspectInput } from './inspectInput.js';
import type { DiskBudget } from './storage/diskBudget.js';

const folder = useFolders();
const limits: InspectLimits = { unpackedBytes: 1e6, files: 50, pixels: 1e6, disk: {} as DiskBudget };

describe('inspectInput', () => {
  it('takes photos without cameras from three on, and looks at each', async () => {
    const root = await folder();
    const photo = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#a64' } })
      .jpeg()
      .toBuffer();
    for (const name of ['a', 'b']) await put(root, `${name}.jpg`, photo);
    expect((await errorOf(inspectInput(root, limits))).code).toBe('CAPTURE_NO_CAMERAS');
    await put(root, 'c.jpg', photo);
    expect(await inspectInput(root, limits)).toEqual({ kind: 'files', files: 3, bytes: 3 * photo.length });
    expect((await errorOf(inspectInput(root, { ...limits, pixels: 1000 }))).code).toBe('IMAGE_TOO_LARGE');
    await put(root, 'd.jpg', 'no picture');
    expect((await errorOf(inspectInput(root, limits))).code).toBe('IMAGE_UNREADABLE');
  });
});
