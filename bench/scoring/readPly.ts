import { readFile } from 'node:fs/promises';
import { PlinthError } from '../../src/core/errors.js';
import { srgbToLinear } from '../../src/core/image.js';
import type { Mesh } from '../../src/core/mesh.js';

type Scalar = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64';

const TYPES: Record<string, Scalar> = {
  char: 'int8',
  uchar: 'uint8',
  short: 'int16',
  ushort: 'uint16',
  int: 'int32',
  uint: 'uint32',
  float: 'float32',
  double: 'float64',
};
const SIZES: Record<Scalar, number> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  float64: 8,
};

interface Property {
  name: string;
  type: Scalar;
  /** Of the length that stands before a list. */
  countType?: Scalar;
}

interface Element {
  name: string;
  count: number;
  properties: Property[];
}

/**
 * Reads a PLY file (ascii, binary little or big endian): positions; normals (`nx ny nz`), UVs (`s t`, `u v` or
 * `texture_u texture_v`, turned to glTF's upper-left origin) and 8-bit or float colours where present; polygons as fans
 * of triangles. A point cloud has no indices.
 *
 * @throws ASSET_UNREADABLE
 */
export async function readPly(path: string): Promise<Mesh> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new PlinthError('ASSET_UNREADABLE', { found: `${path} cannot be read`, subject: path, cause });
  }
  return parsePly(bytes, path);
}

/** As `readPly`, from bytes; `name` appears in errors. */
export function parsePly(bytes: Uint8Array, name = 'PLY data'): Mesh {
  const fail = (found: string): PlinthError =>
    new PlinthError('ASSET_UNREADABLE', { found: `${name}: ${found}`, expected: 'a complete PLY file', subject: name });
  const { format, elements, body } = parseHeader(bytes, fail);
  const next =
    format === 'ascii' ? textReader(bytes.subarray(body), fail) : binaryReader(bytes, body, format === 'big', fail);

  const mesh: Mesh = { positions: new Float32Array(), indices: new Uint32Array() };
  for (const element of elements) {
    if (element.name === 'vertex') readVertices(mesh, element, next, fail);
    else if (element.name === 'face') mesh.indices = readFaces(element, next);
    else
      for (let i = 0; i < element.count; i++)
        for (const property of element.properties) {
          const n = property.countType ? next(property.countType) : 1;
          for (let k = 0; k < n; k++) next(property.type);
        }
  }
  const vertices = mesh.positions.length / 3;
  for (const i of mesh.indices) if (i >= vertices) throw fail(`a face uses vertex ${i} of ${vertices}`);
  return mesh;
}

function readVertices(
  mesh: Mesh,
  element: Element,
  next: (type: Scalar) => number,
  fail: (f: string) => PlinthError,
): void {
  const column = (...names: string[]) => element.properties.findIndex((p) => names.includes(p.name));
  const xyz = [column('x'), column('y'), column('z')];
  if (xyz.includes(-1)) throw fail('the vertices lack x, y or z');
  const n = element.count;
  mesh.positions = new Float32Array(n * 3);
  const group = (columns: number[]) => (columns.includes(-1) ? undefined : columns);
  const normal = group([column('nx'), column('ny'), column('nz')]);
  const uv = group([column('s', 'u', 'texture_u'), column('t', 'v', 'texture_v')]);
  const color = group([column('red', 'r'), column('green', 'g'), column('blue', 'b')]);
  if (normal) mesh.normals = new Float32Array(n * 3);
  if (uv) mesh.uvs = new Float32Array(n * 2);
  if (color) mesh.colors = new Float32Array(n * 3);
  const row = new Float64Array(element.properties.length);
  for (let i = 0; i < n; i++) {
    element.properties.forEach((property, c) => {
      const length = property.countType ? next(property.countType) : 1;
      for (let k = 0; k < length; k++) row[c] = next(property.type);
    });
    for (let k = 0; k < 3; k++) {
      mesh.positions[i * 3 + k] = row[xyz[k]];
      if (normal) mesh.normals![i * 3 + k] = row[normal[k]];
      if (color) {
        const v = row[color[k]];
        mesh.colors![i * 3 + k] = element.properties[color[k]].type === 'uint8' ? srgbToLinear(v / 255) : v;
      }
    }
    if (uv) {
      mesh.uvs![i * 2] = row[uv[0]];
      mesh.uvs![i * 2 + 1] = 1 - row[uv[1]];
    }
  }
}

function readFaces(element: Element, next: (type: Scalar) => number): Uint32Array {
  const out: number[] = [];
  for (let i = 0; i < element.count; i++)
    for (const property of element.properties) {
      const n = property.countType ? next(property.countType) : 1;
      const corners = property.name === 'vertex_indices' || property.name === 'vertex_index';
      let first = 0;
      let previous = 0;
      for (let k = 0; k < n; k++) {
        const v = next(property.type);
        if (!corners) continue;
        if (k === 0) first = v;
        if (k > 1) out.push(first, previous, v);
        previous = v;
      }
    }
  return Uint32Array.from(out);
}

function parseHeader(bytes: Uint8Array, fail: (found: string) => PlinthError) {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 65_536)).toString('latin1');
  const end = /(^|\n)end_header[ \t]*\r?\n/.exec(head);
  if (!/^ply\s/.test(head) || !end) throw fail('there is no PLY header');
  let format: 'ascii' | 'little' | 'big' | undefined;
  const elements: Element[] = [];
  for (const line of head.slice(0, end.index).split(/\r?\n/)) {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'format')
      format =
        words[1] === 'ascii'
          ? 'ascii'
          : words[1] === 'binary_little_endian'
            ? 'little'
            : words[1] === 'binary_big_endian'
              ? 'big'
              : undefined;
    if (words[0] === 'element') elements.push({ name: words[1], count: Number(words[2]), properties: [] });
    if (words[0] === 'property') {
      const list = words[1] === 'list';
      const type = scalarType(words[list ? 3 : 1]);
      const countType = list ? scalarType(words[2]) : undefined;
      const element = elements.at(-1);
      if (!type || !element || (list && !countType)) throw fail(`the header line "${line.trim()}" makes no sense`);
      element.properties.push({ name: words[list ? 4 : 2], type, countType });
    }
  }
  if (!format) throw fail('the format is none of ascii, binary_little_endian and binary_big_endian');
  for (const e of elements)
    if (!Number.isSafeInteger(e.count) || e.count < 0 || e.count > bytes.length)
      throw fail(`element "${e.name}" claims ${e.count} entries in ${bytes.length} bytes`);
  return { format, elements, body: end.index + end[0].length };
}

function scalarType(word: string | undefined): Scalar | undefined {
  if (word === undefined) return undefined;
  return TYPES[word] ?? (word in SIZES ? (word as Scalar) : undefined);
}

function binaryReader(bytes: Uint8Array, start: number, big: boolean, fail: (found: string) => PlinthError) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !big;
  let at = start;
  return (type: Scalar): number => {
    const here = at;
    at += SIZES[type];
    if (at > bytes.length) throw fail('the file ends too early');
    switch (type) {
      case 'int8':
        return view.getInt8(here);
      case 'uint8':
        return view.getUint8(here);
      case 'int16':
        return view.getInt16(here, little);
      case 'uint16':
        return view.getUint16(here, little);
      case 'int32':
        return view.getInt32(here, little);
      case 'uint32':
        return view.getUint32(here, little);
      case 'float32':
        return view.getFloat32(here, little);
      case 'float64':
        return view.getFloat64(here, little);
    }
  };
}

function textReader(bytes: Uint8Array, fail: (found: string) => PlinthError) {
  const words = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').split(/\s+/);
  let at = words[0] === '' ? 1 : 0;
  return (): number => {
    const word = words[at++];
    const value = Number(word);
    if (word === undefined || word === '') throw fail('the file ends too early');
    if (Number.isNaN(value) && !/^[-+]?nan$/i.test(word)) throw fail(`"${word}" is not a number`);
    return value;
  };
}
