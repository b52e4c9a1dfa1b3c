/** Numbers from a hash, for networks too large to store: element k of a tensor has pcg(k + seed · 0x9e3779b1). */

/** A permuted congruential generator's output (O'Neill 2014) of a 32-bit number. */
export function pcg(i: number): number {
  const s = (Math.imul(i, 747796405) + 2891336453) >>> 0;
  const word = Math.imul(((s >>> ((s >>> 28) + 4)) ^ s) >>> 0, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** What a tensor is drawn from: base ± scale/2. */
export interface HashTensor {
  name: string;
  shape: number[];
  seed: number;
  scale: number;
  base: number;
}

/** The numbers of a tensor, in C order. */
export function hashNumbers({ shape, seed, scale, base }: HashTensor): Float32Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const result = new Float32Array(count);
  const offset = Math.imul(seed, 0x9e3779b1);
  for (let k = 0; k < count; k++) result[k] = base + ((pcg((k + offset) >>> 0) >>> 8) / 16777216 - 0.5) * scale;
  return result;
}

/** A safetensors file of such tensors, in f32. */
export function hashFile(tensors: readonly HashTensor[]): Uint8Array {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name, shape } of tensors) {
    const bytes = shape.reduce((a, b) => a * b, 4);
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  let at = 8 + padded;
  for (const tensor of tensors) {
    const numbers = hashNumbers(tensor);
    file.set(new Uint8Array(numbers.buffer), at);
    at += numbers.byteLength;
  }
  return file;
}
