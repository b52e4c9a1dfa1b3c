import {
  ClampToEdgeWrapping,
  DataTexture,
  DataUtils,
  EquirectangularReflectionMapping,
  HalfFloatType,
  LinearFilter,
  LinearSRGBColorSpace,
  PMREMGenerator,
  RepeatWrapping,
  RGBAFormat,
  type Texture,
  type WebGLRenderer,
} from 'three';
import { HDRLoader } from 'three/addons/loaders/HDRLoader.js';
import { NEUTRAL_STUDIO, paintStudio } from '../../../src/render/forward/studio.js';

/** The light of a capture, from the bytes of its `light.hdr`. */
export function capturedLight(renderer: WebGLRenderer, hdr: ArrayBuffer): Texture {
  const { width, height, data } = new HDRLoader().parse(hdr) as { width: number; height: number; data: Uint16Array };
  return prefilter(renderer, width, height, (at, channel) => data[at * 4 + channel]);
}

/** The studio in which the engine's previews stand where an asset brings no light of its own. */
export function studioLight(renderer: WebGLRenderer): Texture {
  const { width, height, data } = paintStudio(NEUTRAL_STUDIO);
  return prefilter(renderer, width, height, (at, channel) => DataUtils.toHalfFloat(data[at * 3 + channel]));
}

/**
 * Makes a light of an equirectangular map in the convention of `Asset.environment`: its middle column lies towards −Z,
 * rows from top to bottom. Here the middle lies towards +X, and rows run from bottom to top.
 * @param half half float of a pixel's channel
 */
function prefilter(
  renderer: WebGLRenderer,
  width: number,
  height: number,
  half: (pixel: number, channel: number) => number,
): Texture {
  const data = new Uint16Array(width * height * 4);
  const one = DataUtils.toHalfFloat(1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (height - 1 - y) * width + ((x + Math.round(width / 4)) % width);
      const to = (y * width + x) * 4;
      for (let c = 0; c < 3; c++) data[to + c] = half(from, c);
      data[to + 3] = one;
    }
  }
  const map = new DataTexture(data, width, height, RGBAFormat, HalfFloatType, EquirectangularReflectionMapping);
  map.wrapS = RepeatWrapping;
  map.wrapT = ClampToEdgeWrapping;
  map.minFilter = LinearFilter;
  map.magFilter = LinearFilter;
  map.colorSpace = LinearSRGBColorSpace;
  map.needsUpdate = true;
  const generator = new PMREMGenerator(renderer);
  const { texture } = generator.fromEquirectangular(map);
  generator.dispose();
  map.dispose();
  return texture;
}
