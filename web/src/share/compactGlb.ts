import { WebIO } from '@gltf-transform/core';
import {
  EXTMeshoptCompression,
  EXTTextureWebP,
  KHRMaterialsUnlit,
  KHRMeshQuantization,
} from '@gltf-transform/extensions';
import { meshopt } from '@gltf-transform/functions';
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
  await document.transform(meshopt({ encoder: MeshoptEncoder, level: 'high' }));
  const bytes = await io.writeBinary(document);
  return bytes.slice().buffer;
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
