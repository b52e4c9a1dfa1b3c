import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { chooseFrames, videoFrames } from './videoFrames.js';

const folder = useFolders();
const hasFfmpeg = ((): boolean => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('chooseFrames', () => {
  it('takes the sharpest frame of stretches of equal change', () => {
    // The camera rests for 40 frames, then moves over 60, every third of which is sharp.
    const frames = Array.from({ length: 100 }, (_, i) => ({
      change: i < 40 ? 0 : 8,
      sharpness: i % 3 === 0 ? 0.5 : 0.2,
    }));
    const chosen = chooseFrames(frames);
    expect(chosen.length).toBeGreaterThan(50);
    expect(chosen.filter((i) => i < 40)).toEqual([0]);
    const blurred = chooseFrames(frames.map((f) => ({ ...f, change: f.change / 8 })));
    expect(blurred.length).toBe(12);
    expect(blurred.every((i) => i % 3 === 0)).toBe(true);
    expect(chooseFrames([])).toEqual([]);
  });
});

describe('videoFrames', () => {
  it.skipIf(!hasFfmpeg)('writes the chosen frames of a video as pictures, none twice', async () => {
    const root = await folder();
    for (let i = 0; i < 36; i++) {
      const noise = await sharp(
        Buffer.from(Uint8Array.from({ length: 64 * 48 }, (_, k) => ((k * 7919) % 251) ^ (i * 3))),
        {
          raw: { width: 64, height: 48, channels: 1 },
        },
      )
        .resize(320, 240)
        .png()
        .toBuffer();
      await put(root, `in/${String(i).padStart(3, '0')}.png`, noise);
    }
    const video = join(root, 'my shoe.mp4');
    const from = ['-v', 'error', '-framerate', '6', '-i', join(root, 'in/%03d.png')];
    execFileSync('ffmpeg', [...from, '-c:v', 'mpeg4', '-q:v', '2', video]);
    const files = await videoFrames(video, join(root, 'out'));
    expect(files.length).toBeGreaterThanOrEqual(12);
    expect(basename(files[0])).toBe('my shoe-0001.jpg');
    const pixels = await Promise.all(files.map((f) => sharp(f).greyscale().raw().toBuffer()));
    for (let i = 1; i < pixels.length; i++) expect(pixels[i].equals(pixels[i - 1])).toBe(false);
    const broken = await put(root, 'broken.mp4', Buffer.from('no video'));
    expect((await errorOf(videoFrames(broken, join(root, 'out')))).code).toBe('VIDEO_UNREADABLE');
  });

  it('says what is missing where there is no ffmpeg', async () => {
    const root = await folder();
    const file = await put(root, 'a.mp4', Buffer.from('video'));
    const { PATH } = process.env;
    process.env.PATH = root;
    try {
      const error = await errorOf(videoFrames(file, join(root, 'out')));
      expect([error.code, error.message.includes('ffmpeg')]).toEqual(['VIDEO_DECODER_MISSING', true]);
    } finally {
      process.env.PATH = PATH;
    }
  });
});
