import { describe, expect, it } from 'vitest';
import { Golden } from '../../test/goldens.js';
import { bytesSource, Safetensors, type StoredTensor, toFloat32 } from './safetensors.js';

/** A file with that header (or text in its place) and body. */
function file(header: object | string | Uint8Array, body = new Uint8Array(0)): Uint8Array {
  const text = typeof header === 'object' && !(header instanceof Uint8Array) ? JSON.stringify(header) : header;
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const result = new Uint8Array(8 + bytes.length + body.length);
  new DataView(result.buffer).setBigUint64(0, BigInt(bytes.length), true);
  result.set(bytes, 8);
  result.set(body, 8 + bytes.length);
  return result;
}

const open = (bytes: Uint8Array) => Safetensors.open(bytesSource('w.safetensors', bytes));
const entry = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const refused = async (bytes: Uint8Array, words: RegExp, code = 'WEIGHTS_INVALID') =>
  expect(open(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(words), subject: 'w.safetensors' });

describe('a safetensors file', () => {
  it('is read in every kind of number, with scalars, empty tensors and special halves', async () => {
    const golden = await Golden.open('ops/dtypes');
    golden.checkExact('f16_as_f32', golden.data('f16'));
    golden.checkExact('bf16_as_f32', golden.data('bf16'));
    const special = golden.data('f16_special');
    const wanted = golden.data('f16_special_as_f32');
    expect([...special].map((x, i) => Object.is(x, wanted[i]) || (Number.isNaN(x) && Number.isNaN(wanted[i])))).toEqual(
      Array(7).fill(true),
    );
    const shapes: Record<string, [string, number[]]> = {
      ...{ f64: ['F64', [3, 5]], i64: ['I64', [1, 2]], empty: ['F32', [0, 3]], scalar: ['F32', []] },
      ...{ i32: ['I32', [2]], bool: ['BOOL', [2]], u8: ['U8', [2]], f32: ['F32', [3, 5]] },
    };
    for (const [name, [dtype, shape]] of Object.entries(shapes)) {
      expect(golden.raw(name)).toMatchObject({ dtype, shape });
      const numbers = [...golden.data(name)];
      expect(numbers).toHaveLength(shape.reduce((a, b) => a * b, 1));
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
    expect([...golden.data('f64')].map(Math.fround)).toEqual([...golden.data('f32')]);
  });

  it('gives its metadata, and what of its tensors was asked for', async () => {
    const body = new Uint8Array(new Float32Array([1, 2, 3]).buffer);
    const header = { __metadata__: { format: 'pt' }, b: entry('F32', [1], 8, 12), a: entry('F32', [2], 0, 8) };
    const weights = await open(file(header, body));
    expect(weights.metadata).toEqual({ format: 'pt' });
    expect([...toFloat32(await weights.read('a'))]).toEqual([1, 2]);
    expect([...toFloat32(await weights.read('b'))]).toEqual([3]);
    await expect(weights.read('c')).rejects.toMatchObject({
      code: 'WEIGHTS_INVALID',
      message: expect.stringContaining('"c"'),
    });
  });

  it('may hold spaces after its header, a nested quote, and no tensor at all', async () => {
    const weights = await open(file('{"__metadata__":{"a\\"":"{\\"x\\":1}"}}   '));
    expect(weights.tensors.size).toBe(0);
    expect(weights.metadata).toEqual({ 'a"': '{"x":1}' });
  });

  it('is refused where it is truncated, at any byte', async () => {
    const whole = file({ a: entry('F32', [2], 0, 8) }, new Uint8Array(8));
    for (let length = 0; length < whole.length; length++) {
      await expect(open(whole.subarray(0, length))).rejects.toMatchObject({ code: 'WEIGHTS_INVALID' });
    }
    await expect(open(whole)).resolves.toBeDefined();
  });

  it('is refused where its header is not what the format says', async () => {
    const huge = new Uint8Array(16);
    new DataView(huge.buffer).setBigUint64(0, 100_000_001n, true);
    await refused(huge, /claims a header of 100000001 bytes/);
    await refused(file('[]'), /no JSON object/);
    await refused(file('{"a":'), /no JSON/);
    await refused(file(Uint8Array.of(0x7b, 0xff, 0x7d)), /no UTF-8/);
    await refused(file({ __metadata__: { a: 1 } }), /metadata/);
    await refused(file({ a: [1] }), /no object/);
    for (const shape of [[-1], [1.5], 'x', [2 ** 60]]) await refused(file({ a: { dtype: 'F32', shape } }), /shape/);
    for (const offsets of [[0], [8, 0], ['a', 'b'], undefined]) {
      await refused(file({ a: { dtype: 'F32', shape: [2], data_offsets: offsets } }), /offsets/);
    }
  });

  it('is refused for a kind of number that is not known', async () => {
    await refused(file({ a: entry('F8_E4M3', [1], 0, 1) }, new Uint8Array(1)), /F8_E4M3/, 'WEIGHTS_UNSUPPORTED');
    await refused(file({ a: entry('toString', [1], 0, 1) }, new Uint8Array(1)), /toString/, 'WEIGHTS_UNSUPPORTED');
  });

  it('is refused where tensors overlap, leave a gap, or are not as long as their shape', async () => {
    const body = new Uint8Array(16);
    await refused(file({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 4, 12) }, body.subarray(4)), /"b".*another/);
    await refused(file({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 12, 16) }, body), /4 bytes before.*"b"/);
    await refused(file({ a: entry('F32', [2], 4, 12) }, body.subarray(4)), /4 bytes before/);
    await refused(file({ a: entry('F32', [2], 0, 8) }, body), /8 bytes after/);
    await refused(file({ a: entry('F32', [3], 0, 8) }, body.subarray(8)), /8 bytes.*12 for F32 \[3\]/);
    await refused(file({ a: entry('F16', [2], 0, 8) }, body.subarray(8)), /8 bytes.*4 for F16/);
  });

  it('is refused where a name appears twice, however it is spelled', async () => {
    const one = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    await refused(file(`{"a":${one},"a":${one}}`), /"a" twice/);
    await refused(file(`{"a":${one},"\\u0061" : ${one}}`), /"a" twice/);
  });

  it('keeps bytes apart that share memory', async () => {
    const weights = await open(file({ a: entry('F16', [1], 0, 2) }, Uint8Array.of(0, 0x3c)));
    const tensor: StoredTensor = await weights.read('a');
    expect(tensor.bytes).toHaveLength(2);
    expect([...toFloat32(tensor)]).toEqual([1]);
  });
});
