import sharp from 'sharp';
import type { Asset } from '../../core/asset.js';
import type { Camera } from '../../core/camera.js';
import type { ColorImage } from '../../core/image.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { AssetRenderer, type RenderOptions } from '../../render/forward/assetRenderer.js';
import { fitOrbit, type Orbit, orbitCamera } from '../../render/forward/orbit.js';

const DEFAULT_SIZE = 1024;

/** PNG bytes of a picture, alpha included. */
export const encodePng = (image: ColorImage): Promise<Buffer> =>
  sharp(Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength), {
    raw: { width: image.width, height: image.height, channels: 4 },
  })
    .png({ compressionLevel: 9 })
    .toBuffer();

/**
 * Draws an asset from a camera or an orbit and encodes it as PNG. An orbit takes its size from the options, 1024×1024
 * by default, and is fitted to the object where it states no distance or target.
 */
export async function renderToPng(
  gpu: Gpu,
  asset: Asset,
  view: Camera | Orbit,
  options: RenderOptions = {},
): Promise<Buffer> {
  const renderer = await AssetRenderer.create(gpu, asset);
  try {
    const { color } = await renderer.render(resolveView(asset, view, options), { supersample: 4, ...options });
    return await encodePng(color);
  } finally {
    renderer.dispose();
  }
}

function resolveView(asset: Asset, view: Camera | Orbit, options: RenderOptions): Camera {
  if ('cameraToWorld' in view) return view;
  const width = options.width ?? options.height ?? DEFAULT_SIZE;
  const height = options.height ?? options.width ?? DEFAULT_SIZE;
  return orbitCamera(fitOrbit(asset.mesh, view, width / height), width, height);
}
