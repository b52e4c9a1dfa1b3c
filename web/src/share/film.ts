import type { Stage } from '../viewer/stage.js';
import { type FilmFrame, webm } from './webm.js';

/** Side of the film in pixels, frames of one turn, and frames a second. */
const FILM = { side: 720, frames: 96, rate: 24 } as const;
/** A picture for the head of a page or a shop. */
const POSTER = { width: 1600, height: 1200 } as const;
/** The backdrop of the service's previews, from its middle to its corners. */
const BACKDROP = ['#f6f7f8', '#d6d9dd'] as const;
/** What encoders are asked for, the better one first. */
const CODECS = [
  { name: 'vp09.00.31.08', id: 'V_VP9' },
  { name: 'vp8', id: 'V_VP8' },
] as const;

/** Whether this browser encodes films. */
export const canFilm = (): boolean => 'VideoEncoder' in globalThis;

/** One turn of the model as WebM, without end to end seam. Nothing of the window's own picture is in it. */
export async function film(stage: Stage, onProgress: (share: number) => void): Promise<Blob> {
  const { side, frames, rate } = FILM;
  const picture = document.createElement('canvas');
  picture.width = side;
  picture.height = side;
  const size = { width: side, height: side, bitrate: 4_000_000, framerate: rate };
  const supported = await Promise.all(
    CODECS.map(({ name }) => VideoEncoder.isConfigSupported({ codec: name, ...size }).catch(() => undefined)),
  );
  const codec = CODECS[supported.findIndex((s) => s?.supported)];
  if (!codec) throw new Error('This browser encodes no film that can be kept.');
  const done: FilmFrame[] = [];
  let failure: Error | undefined;
  const encoder = new VideoEncoder({
    output(chunk) {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      done.push({ data, key: chunk.type === 'key', at: chunk.timestamp / 1000 });
    },
    error(error) {
      failure = error;
    },
  });
  encoder.configure({ codec: codec.name, ...size });
  try {
    for (let i = 0; i < frames && !failure; i++) {
      onBackdrop(picture, stage.shoot(side, side, (i * 360) / frames));
      const frame = new VideoFrame(picture, { timestamp: (i * 1e6) / rate, duration: 1e6 / rate });
      encoder.encode(frame, { keyFrame: i % rate === 0 });
      frame.close();
      onProgress((i + 1) / frames);
      // The page stays usable, and the encoder is not flooded.
      await new Promise((resolve) => setTimeout(resolve));
      while (encoder.encodeQueueSize > 4 && !failure) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await encoder.flush();
  } finally {
    stage.restore();
    encoder.close();
  }
  if (failure) throw failure;
  const bytes = webm(codec.id, done, { width: side, height: side, duration: (frames * 1000) / rate });
  return new Blob([bytes], { type: 'video/webm' });
}

/** The model as it stands, on the backdrop, as PNG. */
export async function poster(stage: Stage): Promise<Blob> {
  const picture = document.createElement('canvas');
  picture.width = POSTER.width;
  picture.height = POSTER.height;
  onBackdrop(picture, stage.shoot(POSTER.width, POSTER.height));
  stage.restore();
  return await new Promise((resolve, reject) =>
    picture.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture cannot be encoded.'))), 'image/png'),
  );
}

function onBackdrop(picture: HTMLCanvasElement, model: HTMLCanvasElement): void {
  const { width, height } = picture;
  const context = picture.getContext('2d')!;
  const backdrop = context.createRadialGradient(
    width / 2,
    height * 0.42,
    0,
    width / 2,
    height * 0.42,
    Math.hypot(width, height) / 2,
  );
  backdrop.addColorStop(0, BACKDROP[0]);
  backdrop.addColorStop(1, BACKDROP[1]);
  context.fillStyle = backdrop;
  context.fillRect(0, 0, width, height);
  context.drawImage(model, 0, 0, width, height);
}
