import yauzl from 'yauzl';

/**
 * The only array of a NumPy archive, or the one that is named `depth`, `arr_0` or `data`.
 * Throws `Error` in plain words where it is no zip, has no or several other arrays, or unpacks to more than `maxBytes`.
 */
export async function readNpz(file: string, maxBytes: number): Promise<Buffer> {
  const zip = await yauzl.openPromise(file, { autoClose: false });
  try {
    const entries: yauzl.Entry[] = [];
    for await (const entry of zip.eachEntry()) if (/\.npy$/i.test(entry.fileName)) entries.push(entry);
    const named = ['depth.npy', 'arr_0.npy', 'data.npy'].map((name) => entries.find((e) => e.fileName === name));
    const entry = entries.length === 1 ? entries[0] : named.find((e) => e !== undefined);
    if (!entry) {
      const names = entries.map((e) => e.fileName.replace(/\.npy$/i, '')).join(', ');
      throw new Error(
        entries.length === 0 ? 'it holds no array' : `it holds several arrays (${names}), none of them "depth"`,
      );
    }
    if (entry.uncompressedSize > maxBytes) throw new Error(`it unpacks to ${entry.uncompressedSize} bytes`);
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } finally {
    zip.close();
  }
}
