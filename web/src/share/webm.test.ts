import { expect, it } from 'vitest';
import { webm } from './webm.js';

/** Ids and contents of the elements that stand side by side in a piece of EBML. */
function elements(bytes: Uint8Array): [string, Uint8Array][] {
  const found: [string, Uint8Array][] = [];
  for (let at = 0; at < bytes.length; ) {
    const idBytes = Math.clz32(bytes[at]) - 23;
    const id = Buffer.from(bytes.subarray(at, at + idBytes)).toString('hex');
    const size = Number(Buffer.from(bytes).readBigUInt64BE(at + idBytes) & 0xffffffffffffffn);
    at += idBytes + 8;
    found.push([id, bytes.subarray(at, at + size)]);
    at += size;
  }
  return found;
}

it('nests head, track and clusters as WebM wants them, with every frame at its time', () => {
  const frames = Array.from({ length: 5 }, (_, i) => ({ data: Uint8Array.of(i, i), key: i % 4 === 0, at: i * 10_000 }));
  const file = elements(webm('V_VP9', frames, { width: 720, height: 480, duration: 50_000 }));
  expect(file.map(([id]) => id)).toEqual(['1a45dfa3', '18538067']);
  const [info, tracks, ...clusters] = elements(file[1][1]);
  expect([info[0], tracks[0], ...clusters.map(([id]) => id)]).toEqual(['1549a966', '1654ae6b', '1f43b675', '1f43b675']);
  const seen = clusters.flatMap(([, cluster]) => {
    const [[, begin], ...blocks] = elements(cluster);
    const from = begin.reduce((sum, byte) => sum * 256 + byte, 0);
    return blocks.map(([, block]) => [from + block[1] * 256 + block[2], block[3], block[4]]);
  });
  expect(seen).toEqual(frames.map(({ at, key, data }) => [at, key ? 128 : 0, data[0]]));
});
