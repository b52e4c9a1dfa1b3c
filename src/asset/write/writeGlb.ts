import { writeFile } from 'node:fs/promises';
import { Document, Logger, NodeIO, type Texture, type TextureInfo } from '@gltf-transform/core';
import {
  EXTMeshoptCompression,
  EXTTextureWebP,
  KHRMaterialsUnlit,
  KHRMeshQuantization,
} from '@gltf-transform/extensions';
import { meshopt } from '@gltf-transform/functions';
import { MeshoptEncoder } from 'meshoptimizer/encoder';
import type { Asset, Material } from '../../core/asset.js';
import type { ColorImage } from '../../core/image.js';
import { VERSION } from '../../core/version.js';
import { computeTangents } from '../../geometry/mesh/tangents.js';
import { encodeTexture, type TextureEncoder } from './encodeTexture.js';

export interface GlbOptions {
  /**
   * Quantise (positions, UVs 16 bits; normals 10) and compress with EXT_meshopt_compression: about a quarter of the
   * size. Default false: every viewer opens the plain file.
   */
  meshopt?: boolean;
  /** Store textures as WebP (EXT_texture_webp), a tenth of the size, slightly lossy. Default false: PNG, lossless. */
  webp?: boolean;
}

/**
 * Encodes an asset as binary glTF 2.0. Baked-light materials are unlit (KHR_materials_unlit) and carry the extra
 * `plinth.bakedLight = true`; viewers without that extension see a rough dielectric. PBR materials share one texture
 * for occlusion, roughness and metallic; with a normal map, tangents are written too. The environment is no part of it
 * (see `writeHdr`).
 *
 * The same asset gives the same bytes: there are no dates and no random names in it.
 */
export async function encodeGlb(
  asset: Asset,
  options: GlbOptions = {},
  encode: TextureEncoder = encodeTexture,
): Promise<Uint8Array> {
  const { material } = asset;
  const mesh = material.normal && !asset.mesh.tangents ? await computeTangents(asset.mesh) : asset.mesh;
  const document = new Document().setLogger(new Logger(Logger.Verbosity.SILENT));
  document.getRoot().getAsset().generator = `Plinth ${VERSION}`;
  const buffer = document.createBuffer();
  const primitive = document.createPrimitive();
  const attribute = (name: string, type: 'VEC2' | 'VEC3' | 'VEC4', data: Float32Array | undefined) => {
    if (data)
      primitive.setAttribute(name, document.createAccessor(name).setType(type).setArray(data).setBuffer(buffer));
  };
  // 65535 is the primitive restart value and no index.
  const narrow = mesh.positions.length / 3 <= 65535;
  primitive.setIndices(
    document
      .createAccessor('indices')
      .setType('SCALAR')
      .setArray(narrow ? Uint16Array.from(mesh.indices) : mesh.indices)
      .setBuffer(buffer),
  );
  attribute('POSITION', 'VEC3', mesh.positions);
  attribute('NORMAL', 'VEC3', mesh.normals);
  attribute('TANGENT', 'VEC4', material.normal ? mesh.tangents : undefined);
  attribute('TEXCOORD_0', 'VEC2', mesh.uvs);
  primitive.setMaterial(await buildMaterial(document, material, options.webp ?? false, encode));
  const node = document.createNode('object').setMesh(document.createMesh('object').addPrimitive(primitive));
  // A node above it keeps in decimal numbers what the vertices' 32 bits cannot hold; quantisation changes the node of
  // the mesh.
  const top = asset.origin
    ? document.createNode('origin').setTranslation(asset.origin).setExtras({ plinthOrigin: true }).addChild(node)
    : node;
  document.getRoot().setDefaultScene(document.createScene('scene').addChild(top));

  const io = new NodeIO();
  if (options.webp) document.createExtension(EXTTextureWebP).setRequired(true);
  if (options.meshopt) {
    await MeshoptEncoder.ready;
    await document.transform(
      meshopt({
        encoder: MeshoptEncoder,
        level: 'high',
        quantizePosition: 16,
        quantizeTexcoord: 16,
        quantizeNormal: 10,
      }),
    );
    io.registerDependencies({ 'meshopt.encoder': MeshoptEncoder });
  }
  return io
    .registerExtensions([KHRMaterialsUnlit, EXTTextureWebP, EXTMeshoptCompression, KHRMeshQuantization])
    .writeBinary(document);
}

/** Writes `encodeGlb` to a file. */
export async function writeGlb(
  asset: Asset,
  path: string,
  options: GlbOptions = {},
  encode: TextureEncoder = encodeTexture,
): Promise<void> {
  await writeFile(path, await encodeGlb(asset, options, encode));
}

async function buildMaterial(document: Document, material: Material, webp: boolean, encode: TextureEncoder) {
  const texture = async (name: string, image: ColorImage, content: 'color' | 'data'): Promise<Texture> =>
    document
      .createTexture(name)
      .setMimeType(webp ? 'image/webp' : 'image/png')
      .setImage(await encode(image, webp ? 'webp' : 'png', content));
  const out = document.createMaterial('material').setRoughnessFactor(1).setMetallicFactor(0);
  out.setBaseColorTexture(await texture('baseColor', material.baseColor, 'color'));
  clampToEdge(out.getBaseColorTextureInfo());
  if (material.kind === 'baked') {
    out.setExtension('KHR_materials_unlit', document.createExtension(KHRMaterialsUnlit).createUnlit());
    out.setExtras({ plinth: { bakedLight: true } });
    return out;
  }
  if (material.occlusionRoughnessMetallic) {
    const orm = await texture('occlusionRoughnessMetallic', material.occlusionRoughnessMetallic, 'data');
    out.setMetallicFactor(1).setMetallicRoughnessTexture(orm).setOcclusionTexture(orm);
    clampToEdge(out.getMetallicRoughnessTextureInfo());
    clampToEdge(out.getOcclusionTextureInfo());
  }
  if (material.normal) {
    out.setNormalTexture(await texture('normal', material.normal, 'data'));
    clampToEdge(out.getNormalTextureInfo());
  }
  return out;
}

/** Charts end within the image, so nothing may come in from the opposite border; mip-mapped. */
function clampToEdge(info: TextureInfo | null): void {
  info?.setWrapS(33071).setWrapT(33071).setMagFilter(9729).setMinFilter(9987);
}
