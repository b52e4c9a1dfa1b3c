import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { Document, NodeIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS, KHRTextureTransform } from '@gltf-transform/extensions';
import { validateBytes } from 'gltf-validator';
import { MeshoptDecoder } from 'meshoptimizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bakedAsset, gradient, pbrAsset, shape } from '../../../test/asset.js';
import { box, flip, sphere } from '../../../test/shapes.js';
import type { Asset } from '../../core/asset.js';
import type { ColorImage } from '../../core/image.js';
import type { Mesh } from '../../core/mesh.js';
import { meshHealth } from '../../geometry/mesh/measure/health.js';
import { readGlb } from '../read/readGlb.js';
import { encodeGlb, writeGlb } from './writeGlb.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'plinth-glb-'));
});
afterAll(() => rm(folder, { recursive: true }));

const baseColor = gradient;
const assets: Record<string, Asset> = {
  baked: bakedAsset(),
  'pbr without maps': { mesh: shape(sphere(3)), material: { kind: 'pbr', baseColor } },
  pbr: pbrAsset(),
  'baked with 32-bit indices': bakedAsset(sphere(7)),
};
const variants = Object.keys(assets).flatMap((name) =>
  [false, true].flatMap((meshopt) => [false, true].map((webp) => ({ name, meshopt, webp }))),
);

describe('writeGlb', () => {
  it.each(variants)(
    'satisfies the Khronos validator: $name, meshopt $meshopt, webp $webp',
    async ({ name, meshopt, webp }) => {
      const bytes = await encodeGlb(assets[name], { meshopt, webp });
      const { issues, info } = await validateBytes(bytes);
      // The validator knows EXT_meshopt_compression by name only and says so in a remark; all else must be silent.
      expect(issues.messages.map((m) => m.code)).toEqual(meshopt ? ['UNSUPPORTED_EXTENSION'] : []);
      expect(info.totalTriangleCount).toBe(assets[name].mesh.indices.length / 3);
      expect(info.generator).toMatch(/^Plinth \d/);
    },
  );

  it('gives the same bytes for the same asset', async () => {
    for (const options of [{}, { meshopt: true, webp: true }])
      expect(await encodeGlb(assets.pbr, options)).toEqual(await encodeGlb(assets.pbr, options));
  });

  it.each([false, true])(
    'places what stands far from its origin by a node, and reads it about its own (meshopt %s)',
    async (meshopt) => {
      const origin: [number, number, number] = [437_000, 12, -5_860_000];
      const bytes = await encodeGlb({ ...assets.baked, origin }, { meshopt });
      const document = await new NodeIO()
        .registerExtensions(ALL_EXTENSIONS)
        .registerDependencies({ 'meshopt.decoder': MeshoptDecoder })
        .readBinary(bytes);
      const [top] = document.getRoot().listScenes()[0].listChildren();
      expect(top.getTranslation()).toEqual(origin);
      expect(top.getMesh()).toBeNull();
      const path = joinPath(folder, 'far.glb');
      await writeFile(path, bytes);
      const read = await readGlb(path);
      expect(read.origin).toEqual(origin);
      await writeFile(path, await encodeGlb(assets.baked, { meshopt }));
      const near = await readGlb(path);
      expect(near.origin).toBeUndefined();
      expect(read.mesh.positions).toEqual(near.mesh.positions);
    },
  );

  it('is clearly marked where the light is baked in', async () => {
    const document = await new NodeIO().registerExtensions(ALL_EXTENSIONS).readBinary(await encodeGlb(assets.baked));
    const [material] = document.getRoot().listMaterials();
    expect(material.getExtras()).toEqual({ plinth: { bakedLight: true } });
    expect(material.getExtension('KHR_materials_unlit')).not.toBeNull();
    const lit = await new NodeIO().registerExtensions(ALL_EXTENSIONS).readBinary(await encodeGlb(assets.pbr));
    expect(lit.getRoot().listMaterials()[0].getExtension('KHR_materials_unlit')).toBeNull();
  });

  it('uses narrow indices where 16 bits suffice and wide ones beyond', async () => {
    const type = async (asset: Asset) => {
      const document = await new NodeIO().registerExtensions(ALL_EXTENSIONS).readBinary(await encodeGlb(asset));
      return document.getRoot().listMeshes()[0].listPrimitives()[0].getIndices()!.getArray()!.BYTES_PER_ELEMENT;
    };
    expect(await type(assets.baked)).toBe(2);
    expect(await type(assets['baked with 32-bit indices'])).toBe(4);
  });

  it('is smaller when compressed', async () => {
    const asset = assets['baked with 32-bit indices'];
    const plain = await encodeGlb(asset);
    expect((await encodeGlb(asset, { meshopt: true })).length).toBeLessThan(plain.length * 0.3);
  });
});

describe('readGlb', () => {
  it('returns exactly what was written', async () => {
    for (const name of ['baked', 'pbr without maps']) {
      const path = joinPath(folder, 'same.glb');
      await writeGlb(assets[name], path);
      const { mesh, material } = await readGlb(path);
      const { positions, indices, normals, uvs } = assets[name].mesh;
      expect(mesh).toMatchObject({ positions, indices, normals, uvs });
      expect(material.kind).toBe(assets[name].material.kind);
      expect(material.baseColor).toEqual(baseColor);
    }
  });

  it('returns all maps of a PBR material, and tangents', async () => {
    const path = joinPath(folder, 'pbr.glb');
    await writeGlb(assets.pbr, path);
    const { mesh, material } = await readGlb(path);
    expect(material).toEqual(assets.pbr.material);
    expect(mesh.tangents!.length / 4).toBe(mesh.positions.length / 3);
  });

  it('undoes compression to within its precision', async () => {
    const path = joinPath(folder, 'small.glb');
    await writeGlb(assets.baked, path, { meshopt: true, webp: true });
    const { mesh, material } = await readGlb(path);
    const [before, after] = [meshHealth(assets.baked.mesh), meshHealth(mesh)];
    expect(after).toMatchObject({ triangles: before.triangles, vertices: before.vertices, watertight: true });
    expect(Math.abs(after.volume / before.volume - 1)).toBeLessThan(1e-4);
    // u and v were made from x and y: they must still fit.
    for (let i = 0; i < mesh.positions.length / 3; i++) {
      expect(Math.abs(mesh.uvs![i * 2] - 0.5 - 0.45 * mesh.positions[i * 3])).toBeLessThan(1e-4);
      expect(
        mesh.normals!.subarray(i * 3, i * 3 + 3).reduce((s, v, k) => s + v * mesh.positions[i * 3 + k], 0),
      ).toBeGreaterThan(0.99);
    }
    let error = 0;
    for (const [i, v] of material.baseColor.data.entries()) error += Math.abs(v - baseColor.data[i]);
    expect(error / baseColor.data.length).toBeLessThan(3);
  });

  /** A file of another author: nodes below nodes, factors, several primitives and modes. */
  async function foreign(build: (document: Document) => Promise<void> | void): Promise<Asset> {
    const document = new Document();
    document.createBuffer();
    await build(document);
    const path = joinPath(folder, 'foreign.glb');
    await writeFile(path, await new NodeIO().registerExtensions(ALL_EXTENSIONS).writeBinary(document));
    return readGlb(path);
  }
  const add = (document: Document, mesh: Mesh, mode: 4 | 5 | 6 = 4) => {
    const accessor = (type: 'VEC2' | 'VEC3' | 'SCALAR', array: Float32Array | Uint32Array) =>
      document.createAccessor().setType(type).setArray(array).setBuffer(document.getRoot().listBuffers()[0]);
    const primitive = document
      .createPrimitive()
      .setMode(mode)
      .setIndices(accessor('SCALAR', mesh.indices))
      .setAttribute('POSITION', accessor('VEC3', mesh.positions));
    if (mesh.uvs) primitive.setAttribute('TEXCOORD_0', accessor('VEC2', mesh.uvs));
    const node = document.createNode().setMesh(document.createMesh().addPrimitive(primitive));
    return { node, primitive };
  };

  it('applies the transforms of nested nodes, mirrored ones too', async () => {
    const { mesh, material } = await foreign((document) => {
      const { node } = add(document, box([0, 0, 0], [1, 1, 1]));
      node.setScale([-2, 1, 1]).setTranslation([0, 0, 5]);
      const parent = document.createNode().setRotation([0, 0, Math.SQRT1_2, Math.SQRT1_2]).addChild(node);
      document.createScene().addChild(parent);
    });
    const h = meshHealth(mesh);
    expect(h).toMatchObject({ watertight: true, inwardTriangles: 0 });
    expect(h.volume).toBeCloseTo(2, 5);
    for (const [k, v] of [-1, -2, 5].entries()) expect(h.bounds.min[k]).toBeCloseTo(v, 5);
    for (const [k, v] of [0, 0, 6].entries()) expect(h.bounds.max[k]).toBeCloseTo(v, 5);
    expect(mesh.uvs!.length / 2).toBe(mesh.positions.length / 3);
    expect(material.baseColor).toMatchObject({ width: 1, height: 1 });
  });

  it('puts several materials into one atlas', async () => {
    const png = (await new NodeIO().readBinary(await encodeGlb(assets.baked))).getRoot().listTextures()[0].getImage()!;
    const { mesh, material } = await foreign((document) => {
      const scene = document.createScene();
      const one = add(document, shape(sphere(1)));
      one.primitive.setMaterial(
        document
          .createMaterial()
          .setBaseColorTexture(document.createTexture().setImage(png).setMimeType('image/png'))
          .setMetallicFactor(0),
      );
      const two = add(document, sphere(1, 1, [5, 0, 0]));
      two.primitive.setMaterial(
        document.createMaterial().setBaseColorFactor([0, 0.5, 1, 1]).setMetallicFactor(0).setRoughnessFactor(0.2),
      );
      scene.addChild(one.node).addChild(two.node);
    });
    const { width, height, data } = material.baseColor;
    const sample = (image: ColorImage, i: number) => {
      const x = Math.floor(mesh.uvs![i * 2] * image.width);
      const y = Math.floor(mesh.uvs![i * 2 + 1] * image.height);
      return [...image.data.subarray((y * image.width + x) * 4, (y * image.width + x) * 4 + 3)];
    };
    expect(data.length).toBe(width * height * 4);
    for (let i = 0; i < mesh.positions.length / 3; i++) {
      const right = mesh.positions[i * 3] > 2;
      const p = mesh.positions.subarray(i * 3, i * 3 + 2);
      const expected = right ? [0, 188, 255] : [(0.5 + 0.45 * p[0]) * 255, (0.5 - 0.45 * p[1]) * 255, 128];
      for (const [k, v] of sample(material.baseColor, i).entries()) expect(Math.abs(v - expected[k])).toBeLessThan(8);
      expect(sample(material.occlusionRoughnessMetallic!, i)).toEqual([255, right ? 51 : 255, 0]);
    }
  });

  it('reads strips and fans', async () => {
    const grid = new Float32Array([0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0]);
    const strip = await foreign((d) => {
      d.createScene().addChild(add(d, { positions: grid, indices: new Uint32Array([0, 2, 1, 3]) }, 5).node);
    });
    expect([...strip.mesh.indices]).toEqual([0, 2, 1, 2, 3, 1]);
    const fan = await foreign((d) => {
      d.createScene().addChild(add(d, { positions: grid, indices: new Uint32Array([0, 2, 3, 1]) }, 6).node);
    });
    for (const { mesh } of [strip, fan]) {
      expect(meshHealth(mesh)).toMatchObject({ triangles: 2, area: 1, inwardTriangles: 0 });
      expect([...mesh.normals!.subarray(0, 3)]).toEqual([0, 0, 1]);
    }
  });

  it('applies texture transforms, wraps what a repeating texture allows and refuses the rest', async () => {
    const textured = (document: Document, uvs: number[], scale: [number, number] = [1, 1]) => {
      const quad = {
        positions: new Float32Array([0, 0, 0, 1, 0, 0, 1, 1, 0]),
        indices: new Uint32Array([0, 1, 2]),
        uvs: Float32Array.from(uvs),
      };
      const { node, primitive } = add(document, quad);
      const texture = document.createTexture().setMimeType('image/png').setImage(new Uint8Array(PNG_1X1));
      const material = document.createMaterial().setBaseColorTexture(texture);
      material
        .getBaseColorTextureInfo()!
        .setExtension(
          'KHR_texture_transform',
          document.createExtension(KHRTextureTransform).createTransform().setScale(scale).setOffset([0.25, 0]),
        );
      primitive.setMaterial(material);
      document.createScene().addChild(node);
    };
    const moved = await foreign((d) => textured(d, [0, 0, 0.5, 0, 0.5, 0.5]));
    expect([...moved.mesh.uvs!]).toEqual([0.25, 0, 0.75, 0, 0.75, 0.5]);
    const wrapped = await foreign((d) => textured(d, [3, -1, 3.5, -1, 3.5, -0.5]));
    expect([...wrapped.mesh.uvs!]).toEqual([0.25, 0, 0.75, 0, 0.75, 0.5]);
    await expect(foreign((d) => textured(d, [0, 0, 4, 0, 4, 4]))).rejects.toMatchObject({ code: 'ASSET_UNREADABLE' });
  });

  it('says what is wrong with a file that it cannot read', async () => {
    const path = joinPath(folder, 'bad.glb');
    await expect(readGlb(joinPath(folder, 'absent.glb'))).rejects.toMatchObject({
      code: 'ASSET_UNREADABLE',
      found: /no such file/,
    });
    for (const bytes of [
      new Uint8Array(0),
      new TextEncoder().encode('not a model'),
      (await encodeGlb(assets.baked)).subarray(0, 500),
    ]) {
      await writeFile(path, bytes);
      await expect(readGlb(path)).rejects.toMatchObject({ code: 'ASSET_UNREADABLE', subject: path });
    }
    await expect(foreign((d) => void d.createScene())).rejects.toMatchObject({
      code: 'ASSET_UNREADABLE',
      found: /no triangles/,
    });
  });

  it('keeps an inside-out mesh inside out, so that its assessment can tell', async () => {
    const { mesh } = await foreign((d) => void d.createScene().addChild(add(d, flip(sphere(2))).node));
    expect(meshHealth(mesh).inwardTriangles).toBe(128);
  });
});

const PNG_1X1 = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
