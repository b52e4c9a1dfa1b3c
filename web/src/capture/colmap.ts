import type { Entry } from './readZip.js';
import type { SketchCamera, UnderstoodView } from './understand.js';

const FOLDERS = ['sparse/0/', 'sparse/', 'colmap/sparse/0/', ''];
/** Angle of view to draw; the true one stands in the cameras file, which drawing does not need. */
const DRAWN_ANGLE = 0.8;

/** Views of a COLMAP model (images.txt or images.bin), or `undefined` where there is none. */
export async function colmapCameras(byName: Map<string, Entry>): Promise<UnderstoodView[] | undefined> {
  for (const folder of FOLDERS) {
    const binary = byName.get(`${folder}images.bin`);
    const text = byName.get(`${folder}images.txt`);
    if (!binary && !text) continue;
    const images = binary
      ? readBinary(await (await binary.blob()).arrayBuffer())
      : readText(await (await text!.blob()).text());
    return images.map(({ name, q, t }) => ({
      name,
      picture: byName.get(`images/${name}`) ?? byName.get(name),
      mask: byName.get(`masks/${name}`) ?? byName.get(`masks/${name}.png`),
      test: false,
      camera: toCamera(q, t),
    }));
  }
  return undefined;
}

interface Image {
  name: string;
  /** World to camera: w, x, y, z. */
  q: number[];
  t: number[];
}

function readText(text: string): Image[] {
  const lines = text.split('\n').filter((l) => !l.startsWith('#'));
  // Every second line lists points and may be empty.
  return lines.flatMap((line, i): Image[] => {
    const parts = line.trim().split(/\s+/);
    if (i % 2 === 1 || parts.length < 10) return [];
    return [{ name: parts.slice(9).join(' '), q: parts.slice(1, 5).map(Number), t: parts.slice(5, 8).map(Number) }];
  });
}

function readBinary(buffer: ArrayBuffer): Image[] {
  const data = new DataView(buffer);
  const images: Image[] = [];
  const count = Number(data.getBigUint64(0, true));
  let at = 8;
  try {
    for (let i = 0; i < count; i++) {
      const numbers = Array.from({ length: 7 }, (_, k) => data.getFloat64(at + 4 + k * 8, true));
      at += 4 + 56 + 4;
      let name = '';
      for (let c = data.getUint8(at++); c !== 0; c = data.getUint8(at++)) name += String.fromCharCode(c);
      const points = Number(data.getBigUint64(at, true));
      at += 8 + points * 24;
      images.push({ name, q: numbers.slice(0, 4), t: numbers.slice(4) });
    }
  } catch {
    // A truncated file: what was read so far is shown, the service says the rest.
  }
  return images;
}

/** Turns COLMAP's world-to-camera (y down, z forward) into camera-to-world looking along −z. */
function toCamera([w, x, y, z]: number[], t: number[]): SketchCamera {
  const r = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
  const centre = [0, 1, 2].map((i) => -(r[0][i] * t[0] + r[1][i] * t[1] + r[2][i] * t[2]));
  const pose = [0, 1, 2].flatMap((i) => [r[0][i], -r[1][i], -r[2][i], centre[i]]).concat(0, 0, 0, 1);
  return { pose, angle: DRAWN_ANGLE };
}
