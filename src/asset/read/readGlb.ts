import { stat } from 'node:fs/promises';
import {
  type Document,
  type Material as GltfMaterial,
  Logger,
  type Node,
  NodeIO,
  type Primitive,
} from '@gltf-transform/core';
import { ALL_EXTENSIONS, type Transform } from '@gltf-transform/extensions';
import { MeshoptDecoder } from 'meshoptimizer/decoder';
import type { Asset } from '../../core/asset.js';
import { PlinthError } from '../../core/errors.js';
import { determinant3, type Mat4, transformPoint, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { gatherVertices } from '../../geometry/mesh/compact.js';
import { computeNormals } from '../../geometry/mesh/normals.js';
import { type AtlasTile, mergeMaterials } from './mergeMaterials.js';

/** One primitive in world space with UVs moved into 0…1 for its material. */
interface Part {
  mesh: Mesh;
  /** Index into the list of materials; −1 = glTF's default material. */
  material: number;
}

/**
 * Reads a GLB or glTF file, by Plinth or by others, as one mesh with one material: node transforms are applied, strips
 * and fans become triangles, primitives are merged, several materials go into one texture atlas, missing normals are
 * computed, and factors without textures become textures of one texel. Understands meshopt compression, quantisation,
 * WebP textures and texture transforms. Animation, skins, morph targets, transparency and emission are left out.
 *
 * @throws ASSET_UNREADABLE for anything that cannot be shown faithfully: damaged files, unknown required extensions
 * (Draco, Basis), no triangles, textures that repeat.
 */
export async function readGlb(path: string): Promise<Asset> {
  const fail = (found: string, remedy?: string, cause?: unknown): PlinthError =>
    new PlinthError('ASSET_UNREADABLE', { found: `${path}: ${found}`, remedy, subject: path, cause });
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw fail('there is no such file');
  await MeshoptDecoder.ready;
  let document: Document;
  try {
    document = await new NodeIO()
      .setLogger(new Logger(Logger.Verbosity.SILENT))
      .registerExtensions(ALL_EXTENSIONS)
      .registerDependencies({ 'meshopt.decoder': MeshoptDecoder })
      .read(path);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = /draco/i.test(message)
      ? 'Draco compression is not supported: export without it, or with meshopt compression'
      : 'Expected a GLB or glTF 2.0 file: check it with a glTF validator';
    throw fail(message, remedy, error);
  }
  const root = document.getRoot();
  const scene = root.getDefaultScene() ?? root.listScenes()[0];
  const materials = root.listMaterials();
  const parts: Part[] = [];
  let origin: Vec3 | undefined;
  const visit = (node: Node): void => {
    const mesh = node.getMesh();
    // What was written about an origin of its own is read about it: in the input's frame, 32 bits would not hold it.
    if (node.getExtras().plinthOrigin === true) {
      origin = node.getTranslation();
      node.setTranslation([0, 0, 0]);
    }
    if (mesh) {
      // A skinned mesh is placed by its joints, not by its node; in the pose it was bound in, that is where its
      // vertices are.
      const toWorld = node.getSkin() ? undefined : (node.getWorldMatrix() as Mat4);
      for (const primitive of mesh.listPrimitives()) {
        const triangles = readTriangles(primitive, toWorld, fail);
        const material = primitive.getMaterial();
        if (triangles.indices.length > 0)
          parts.push({ mesh: triangles, material: material ? materials.indexOf(material) : -1 });
      }
    }
    for (const child of node.listChildren()) visit(child);
  };
  // Without a scene, whatever has no parent is shown.
  const roots = scene ? scene.listChildren() : root.listNodes().filter((n) => n.getParentNode() === null);
  for (const node of roots) visit(node);
  if (parts.length === 0) throw fail('it holds no triangles', 'Points and lines cannot be assessed');

  const used = [...new Set(parts.map((p) => p.material))].sort((a, b) => a - b);
  const list = used.map((i) => (i < 0 ? undefined : materials[i]));
  for (const part of parts) {
    const material = list[used.indexOf(part.material)];
    if (part.mesh.uvs && material) part.mesh = intoUnitSquare(part.mesh, material, fail);
  }
  const { material, tiles } = await mergeMaterials(list, fail);
  const mesh = mergeParts(parts.map((p) => ({ mesh: p.mesh, tile: tiles[used.indexOf(p.material)] })));
  return { mesh, material, ...(origin && { origin }) };
}

type Fail = (found: string, remedy?: string, cause?: unknown) => PlinthError;

/** A primitive's triangles in world space; modes other than triangles give none. */
function readTriangles(primitive: Primitive, toWorld: Mat4 | undefined, fail: Fail): Mesh {
  const position = primitive.getAttribute('POSITION');
  const none: Mesh = { positions: new Float32Array(), indices: new Uint32Array() };
  if (!position) return none;
  const n = position.getCount();
  const read = (name: string, size: number): Float32Array | undefined => {
    const accessor = primitive.getAttribute(name);
    if (!accessor) return undefined;
    const out = new Float32Array(n * size);
    const element: number[] = [];
    for (let i = 0; i < n; i++) {
      accessor.getElement(i, element);
      for (let k = 0; k < size; k++) out[i * size + k] = element[k];
    }
    return out;
  };
  const list = primitive.getIndices()?.getArray() ?? Uint32Array.from({ length: n }, (_, i) => i);
  for (const i of list) if (i >= n) throw fail(`a triangle uses vertex ${i} of ${n}`);
  const indices = toTriangleList(primitive.getMode(), list);
  const mesh: Mesh = { positions: read('POSITION', 3)!, indices };
  for (const v of mesh.positions) if (!Number.isFinite(v)) throw fail('a vertex position is not finite');
  mesh.normals = read('NORMAL', 3);
  mesh.tangents = read('TANGENT', 4);
  mesh.colors = read('COLOR_0', 3);
  const set = primitive.getMaterial()?.getBaseColorTextureInfo()?.getTexCoord() ?? 0;
  mesh.uvs = read(`TEXCOORD_${set}`, 2) ?? read('TEXCOORD_0', 2);
  if (toWorld) applyTransform(mesh, toWorld);
  mesh.normals ??= computeNormals(mesh);
  return mesh;
}

function toTriangleList(mode: number, list: ArrayLike<number>): Uint32Array {
  const out: number[] = [];
  if (mode === 4) return Uint32Array.from(list).subarray(0, list.length - (list.length % 3));
  if (mode === 5)
    for (let i = 0; i + 2 < list.length; i++) out.push(list[i], list[i + 1 + (i % 2)], list[i + 2 - (i % 2)]);
  if (mode === 6) for (let i = 1; i + 1 < list.length; i++) out.push(list[i], list[i + 1], list[0]);
  return Uint32Array.from(out);
}

function applyTransform(mesh: Mesh, m: Mat4): void {
  const mirrored = determinant3(m) < 0;
  // Normals go by the cofactors of the upper 3×3 part, which is the inverse transpose but for scale.
  const c = (i: number, j: number) => {
    const at = (r: number, k: number) => m[((k + 3) % 3) * 4 + ((r + 3) % 3)];
    return at(i + 1, j + 1) * at(i + 2, j + 2) - at(i + 1, j + 2) * at(i + 2, j + 1);
  };
  const cofactors = [0, 1, 2].map((i) => [0, 1, 2].map((j) => c(i, j) * (mirrored ? -1 : 1)));
  const { positions: p, normals: n, tangents: t } = mesh;
  for (let i = 0; i < p.length; i += 3) {
    p.set(transformPoint(m, [p[i], p[i + 1], p[i + 2]]), i);
    if (n) {
      const v = cofactors.map((row) => row[0] * n[i] + row[1] * n[i + 1] + row[2] * n[i + 2]);
      const length = Math.hypot(...v) || 1;
      n.set(
        v.map((x) => x / length),
        i,
      );
    }
  }
  if (t)
    for (let i = 0; i < t.length; i += 4) {
      const v = [0, 1, 2].map((r) => m[r] * t[i] + m[4 + r] * t[i + 1] + m[8 + r] * t[i + 2]);
      const length = Math.hypot(...v) || 1;
      t.set([...v.map((x) => x / length), mirrored ? -t[i + 3] : t[i + 3]], i);
    }
  if (mirrored)
    for (let i = 0; i < mesh.indices.length; i += 3) {
      const swap = mesh.indices[i + 1];
      mesh.indices[i + 1] = mesh.indices[i + 2];
      mesh.indices[i + 2] = swap;
    }
}

/**
 * Applies the material's texture transform (KHR_texture_transform) and moves every triangle into the unit square by
 * whole numbers, which a repeating texture does not notice. A material without textures needs no coordinates at all.
 */
function intoUnitSquare(mesh: Mesh, material: GltfMaterial, fail: Fail): Mesh {
  const infos = [
    [material.getBaseColorTexture(), material.getBaseColorTextureInfo()],
    [material.getMetallicRoughnessTexture(), material.getMetallicRoughnessTextureInfo()],
    [material.getNormalTexture(), material.getNormalTextureInfo()],
    [material.getOcclusionTexture(), material.getOcclusionTextureInfo()],
  ] as const;
  const textured = infos.flatMap(([texture, info]) => (texture && info ? [info] : []));
  const { uvs: _, ...bare } = mesh;
  if (textured.length === 0) return bare;
  const info = textured[0];
  const uvs = mesh.uvs!.slice();
  const transform = info.getExtension<Transform>('KHR_texture_transform');
  if (transform) {
    const [ox, oy] = transform.getOffset();
    const [sx, sy] = transform.getScale();
    const [cos, sin] = [Math.cos(transform.getRotation()), Math.sin(transform.getRotation())];
    for (let i = 0; i < uvs.length; i += 2) {
      const [u, v] = [uvs[i] * sx, uvs[i + 1] * sy];
      uvs[i] = cos * u + sin * v + ox;
      uvs[i + 1] = -sin * u + cos * v + oy;
    }
  }
  const tolerance = 1e-4;
  if (uvs.every((c) => c >= -tolerance && c <= 1 + tolerance)) return { ...mesh, uvs };
  if (info.getWrapS() === 33071 && info.getWrapT() === 33071)
    return { ...mesh, uvs: uvs.map((c) => Math.min(1, Math.max(0, c))) };
  // A vertex that serves triangles in different unit squares becomes one vertex for each.
  const from: number[] = [];
  const shifted: number[] = [];
  const seen = new Map<string, number>();
  const indices = new Uint32Array(mesh.indices.length);
  for (let t = 0; t < indices.length; t += 3) {
    const shift = [0, 1].map((k) => {
      const c = [0, 1, 2].map((corner) => uvs[mesh.indices[t + corner] * 2 + k]);
      const whole = Math.floor((Math.min(...c) + Math.max(...c)) / 2);
      if (Math.min(...c) - whole < -tolerance || Math.max(...c) - whole > 1 + tolerance)
        throw fail(
          `the texture of material "${material.getName()}" repeats across a triangle`,
          'Bake repeating textures into one image before assessing',
        );
      return whole;
    });
    for (let corner = 0; corner < 3; corner++) {
      const v = mesh.indices[t + corner];
      const key = `${v},${shift[0]},${shift[1]}`;
      let i = seen.get(key);
      if (i === undefined) {
        i = from.push(v) - 1;
        seen.set(key, i);
        shifted.push(uvs[v * 2] - shift[0], uvs[v * 2 + 1] - shift[1]);
      }
      indices[t + corner] = i;
    }
  }
  return { ...gatherVertices(mesh, Uint32Array.from(from)), uvs: Float32Array.from(shifted), indices };
}

function mergeParts(parts: readonly { mesh: Mesh; tile: AtlasTile }[]): Mesh {
  const vertices = parts.reduce((sum, p) => sum + p.mesh.positions.length / 3, 0);
  const out: Mesh = {
    positions: new Float32Array(vertices * 3),
    indices: new Uint32Array(parts.reduce((sum, p) => sum + p.mesh.indices.length, 0)),
    normals: new Float32Array(vertices * 3),
    uvs: new Float32Array(vertices * 2),
  };
  if (parts.every((p) => p.mesh.tangents)) out.tangents = new Float32Array(vertices * 4);
  if (parts.every((p) => p.mesh.colors)) out.colors = new Float32Array(vertices * 3);
  let base = 0;
  let corner = 0;
  for (const { mesh, tile } of parts) {
    const n = mesh.positions.length / 3;
    out.positions.set(mesh.positions, base * 3);
    out.normals!.set(mesh.normals!, base * 3);
    if (out.tangents) out.tangents.set(mesh.tangents!, base * 4);
    if (out.colors) out.colors.set(mesh.colors!, base * 3);
    for (let i = 0; i < n; i++) {
      const [u, v] = mesh.uvs ? [mesh.uvs[i * 2], mesh.uvs[i * 2 + 1]] : [0.5, 0.5];
      out.uvs![(base + i) * 2] = tile.u + tile.width * u;
      out.uvs![(base + i) * 2 + 1] = tile.v + tile.height * v;
    }
    for (const i of mesh.indices) out.indices[corner++] = base + i;
    base += n;
  }
  return out;
}
