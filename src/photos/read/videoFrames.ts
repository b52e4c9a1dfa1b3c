import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import type { GreyPicture } from '../features/sift.js';
import { sharpness } from './sharpness.js';

/** Frames of a second that are looked at, and their size then. */
const RATE = 6;
const [WIDTH, HEIGHT] = [320, 240];
/** Cells by whose means the picture's change is measured. */
const CELL = 16;
/** Frames that are taken of a video, and the change of grey from one to the next that is worth a frame of its own. */
const MOST_FRAMES = 60;
const CHANGE = 8;
const FEWEST = 12;

/** What is known of a frame: how sharp it is, and how much changed since the one before (levels of grey, mean). */
export interface FrameFacts {
  sharpness: number;
  change: number;
}

/**
 * Takes sharp, well-spread frames of a video by `ffmpeg` on the PATH, as JPEG.
 *
 * @param folder where they go; it is made
 * @returns their paths, in the order of time
 * @throws VIDEO_DECODER_MISSING, VIDEO_UNREADABLE, CANCELLED
 */
export async function videoFrames(file: string, folder: string, signal?: AbortSignal): Promise<string[]> {
  const facts: FrameFacts[] = [];
  let before: Float32Array | undefined;
  const filter = `fps=${RATE},scale=${WIDTH}:${HEIGHT}:flags=area,format=gray`;
  await ffmpeg(file, ['-vf', filter, '-f', 'rawvideo', 'pipe:1'], signal, (data) => {
    const cells = cellMeans(data);
    facts.push({ sharpness: sharpness(asPicture(data)), change: before ? difference(before, cells) : 0 });
    before = cells;
  });
  const chosen = chooseFrames(facts);
  if (chosen.length === 0) throw unreadable(file, 'it holds no pictures');
  await mkdir(folder, { recursive: true });
  const select = chosen.map((n) => `eq(n,${n})`).join('+');
  const name = basename(file)
    .replace(/\.[^.]+$/, '')
    .replaceAll('%', '_');
  const target = join(folder, `${name}-%04d.jpg`);
  // Times are written anew: else the gaps between the chosen frames would be filled with copies.
  const pick = `fps=${RATE},select='${select}',setpts=N/(${RATE}*TB)`;
  await ffmpeg(file, ['-vf', pick, '-r', String(RATE), '-q:v', '2', '-f', 'image2', target], signal);
  const written = (await readdir(folder)).filter((f) => f.startsWith(`${name}-`) && f.endsWith('.jpg')).sort();
  return written.map((f) => join(folder, f));
}

/**
 * The sharpest frame of every stretch in which the picture changes by the same: where the camera rests one is taken,
 * where it moves fast many.
 *
 * @returns indices, ascending
 */
export function chooseFrames(frames: readonly FrameFacts[]): number[] {
  const total = frames.reduce((sum, { change }) => sum + change, 0);
  const count = Math.min(frames.length, MOST_FRAMES, Math.max(FEWEST, Math.round(total / CHANGE)));
  const best = new Map<number, number>();
  let passed = 0;
  frames.forEach((frame, i) => {
    passed += frame.change;
    const stretch = total > 0 ? Math.min(count - 1, Math.floor((passed / total) * count)) : 0;
    const other = best.get(stretch);
    if (other === undefined || frame.sharpness > frames[other].sharpness) best.set(stretch, i);
  });
  return [...best.values()].sort((a, b) => a - b);
}

const asPicture = (data: Uint8Array): GreyPicture => ({ width: WIDTH, height: HEIGHT, data, scaleX: 1, scaleY: 1 });

function cellMeans(data: Uint8Array): Float32Array {
  const columns = WIDTH / CELL;
  const out = new Float32Array(columns * (HEIGHT / CELL));
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++)
      out[Math.floor(y / CELL) * columns + Math.floor(x / CELL)] += data[y * WIDTH + x] / (CELL * CELL);
  return out;
}

const difference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, v, i) => sum + Math.abs(v - b[i]), 0) / a.length;

/** Runs ffmpeg on a file; raw frames that it writes are handed on one by one. */
async function ffmpeg(
  file: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
  onFrame?: (data: Uint8Array) => void,
): Promise<void> {
  throwIfCancelled(signal);
  // The path is given as a file's, so that none is taken for an address or an option.
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-i', `file:${file}`, '-an', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  let rest = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    const size = WIDTH * HEIGHT;
    for (; rest.length >= size; rest = rest.subarray(size)) onFrame?.(rest.subarray(0, size));
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? missing(file) : error));
    child.on('close', resolve);
  }).catch((error: unknown) => {
    throwIfCancelled(signal);
    throw error;
  });
  if (code !== 0) throw unreadable(file, said.trim().split('\n').pop() || `ffmpeg ended with ${code}`);
}

const missing = (file: string): PlinthError =>
  new PlinthError('VIDEO_DECODER_MISSING', {
    found: `${basename(file)} is a video, and there is no ffmpeg on the PATH`,
    expected: 'the program ffmpeg, which takes pictures from videos',
    remedy: 'Install it ("apt install ffmpeg", "brew install ffmpeg", "winget install ffmpeg"), or give photos',
    subject: file,
  });

const unreadable = (file: string, why: string): PlinthError =>
  new PlinthError('VIDEO_UNREADABLE', {
    found: `${basename(file)} cannot be read as a video: ${why}`,
    expected: 'a video that ffmpeg reads',
    remedy: 'Play it to see whether it is whole, or give photos',
    subject: file,
  });
