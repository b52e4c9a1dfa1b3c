/** A frame of a film as encoders give it. */
export interface FilmFrame {
  data: Uint8Array;
  /** Begins anew, without the frames before. */
  key: boolean;
  /** Milliseconds from the beginning. */
  at: number;
}

/** Longest time in milliseconds that one cluster can hold: its frames count in 16 bits from its beginning. */
const CLUSTER = 32_000;

/**
 * Puts frames of VP8 or VP9 together as a WebM file.
 * @see https://www.matroska.org/technical/elements.html
 * @param duration milliseconds
 */
export function webm(
  codec: 'V_VP8' | 'V_VP9',
  frames: readonly FilmFrame[],
  { width, height, duration }: { width: number; height: number; duration: number },
): Uint8Array<ArrayBuffer> {
  const clusters: FilmFrame[][] = [];
  for (const frame of frames) {
    const current = clusters.at(-1);
    if (!current || frame.at - current[0].at > CLUSTER) clusters.push([frame]);
    else current.push(frame);
  }
  return join([
    element(0x1a45dfa3, [
      element(0x4286, number(1)),
      element(0x42f7, number(1)),
      element(0x42f2, number(4)),
      element(0x42f3, number(8)),
      element(0x4282, text('webm')),
      element(0x4287, number(4)),
      element(0x4285, number(2)),
    ]),
    element(0x18538067, [
      element(0x1549a966, [
        // Times are in milliseconds.
        element(0x2ad7b1, number(1_000_000)),
        element(0x4489, float(duration)),
        element(0x4d80, text('Plinth')),
        element(0x5741, text('Plinth')),
      ]),
      element(0x1654ae6b, [
        element(0xae, [
          element(0xd7, number(1)),
          element(0x73c5, number(1)),
          element(0x83, number(1)),
          element(0x86, text(codec)),
          element(0xe0, [element(0xb0, number(width)), element(0xba, number(height))]),
        ]),
      ]),
      ...clusters.map((cluster) => {
        const begin = Math.round(cluster[0].at);
        return element(0x1f43b675, [
          element(0xe7, number(begin)),
          ...cluster.map(({ data, key, at }) => {
            const after = Math.round(at) - begin;
            return element(0xa3, join([Uint8Array.of(0x81, after >> 8, after & 255, key ? 0x80 : 0), data]));
          }),
        ]);
      }),
    ]),
  ]);
}

/** An element of EBML (RFC 8794): its id, its size in eight bytes, its content. */
function element(id: number, content: Uint8Array | Uint8Array[]): Uint8Array {
  const data = Array.isArray(content) ? join(content) : content;
  const head: number[] = [];
  for (let shift = 24; shift >= 0; shift -= 8) if (id >>> shift > 0) head.push((id >>> shift) & 255);
  const size = new DataView(new ArrayBuffer(8));
  size.setUint32(0, 0x01000000 + Math.floor(data.length / 2 ** 32));
  size.setUint32(4, data.length % 2 ** 32);
  return join([Uint8Array.from(head), new Uint8Array(size.buffer), data]);
}

function number(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

function float(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return new Uint8Array(view.buffer);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
