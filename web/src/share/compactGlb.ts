import { type Accessor, type Document, WebIO } from '@gltf-transform/core';
import {
  EXTMeshoptCompression,
  EXTTextureWebP,
  KHRMaterialsUnlit,
  KHRMeshQuantization,
} from '@gltf-transform/extensions';
import { MeshoptEncoder } from 'meshoptimizer/encoder';

/** Side of the largest texture that is kept. */
const LARGEST = 2048;
const QUALITY = 0.86;

/** The same model for a page: geometry by EXT_meshopt_compression, textures as WebP where the browser writes it. */
export async function compactGlb(glb: ArrayBuffer): Promise<ArrayBuffer> {
  await MeshoptEncoder.ready;
  const io = new WebIO()
    .registerExtensions([KHRMaterialsUnlit, EXTTextureWebP, EXTMeshoptCompression, KHRMeshQuantization])
    .registerDependencies({ 'meshopt.encoder': MeshoptEncoder });
  const document = await io.readBinary(new Uint8Array(glb));
  let webp = false;
  for (const texture of document.getRoot().listTextures()) {
    const image = texture.getImage();
    if (!image) continue;
    const small = await toWebp(new Blob([image as BlobPart], { type: texture.getMimeType() }));
    if (!small || small.length >= image.length) continue;
    texture.setImage(small).setMimeType('image/webp');
    webp = true;
  }
  if (webp) document.createExtension(EXTTextureWebP).setRequired(true);
  narrow(document);
  document
    .createExtension(EXTMeshoptCompression)
    .setRequired(true)
    .setEncoderOptions({ method: EXTMeshoptCompression.EncoderMethod.QUANTIZE });
  const bytes = await io.writeBinary(document);
  return bytes.slice().buffer;
}

/**
 * Stores directions in 8 bits and texture coordinates in 16 (KHR_mesh_quantization): finer than anybody sees. By hand,
 * for the functions of glTF-Transform that do it bring code that makes code, which the page's policy forbids.
 */
function narrow(document: Document): void {
  document.createExtension(KHRMeshQuantization).setRequired(true);
  for (const mesh of document.getRoot().listMeshes()) {
    for (const primitive of mesh.listPrimitives()) {
      toIntegers(primitive.getAttribute('NORMAL'), (length) => new Int8Array(length), 127);
      toIntegers(primitive.getAttribute('TANGENT'), (length) => new Int8Array(length), 127);
      toIntegers(primitive.getAttribute('TEXCOORD_0'), (length) => new Uint16Array(length), 65535);
    }
  }
}

/** Leaves alone what is no number from −1 (or 0) to 1, as coordinates of textures that repeat. */
function toIntegers(
  accessor: Accessor | null,
  make: (length: number) => Int8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
  scale: number,
): void {
  const values = accessor?.getArray();
  if (!accessor || !(values instanceof Float32Array)) return;
  const out = make(values.length);
  const least = out instanceof Int8Array ? -1 : 0;
  if (values.some((v) => v < least - 1e-4 || v > 1 + 1e-4)) return;
  for (let i = 0; i < values.length; i++) out[i] = Math.round(Math.min(1, Math.max(least, values[i])) * scale);
  accessor.setArray(out).setNormalized(true);
}

async function toWebp(image: Blob): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bitmap = await createImageBitmap(image, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/webp', QUALITY));
  return blob?.type === 'image/webp' ? new Uint8Array(await blob.arrayBuffer()) : undefined;
}
