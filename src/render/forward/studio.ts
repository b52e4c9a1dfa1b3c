import type { HdrImage } from '../../core/image.js';
import { smoothstep, type Vec3 } from '../../core/math.js';

/** A soft rectangle of light. */
export interface Softbox {
  /** Degrees: azimuth from −Z towards +X, elevation above the horizon. */
  azimuth: number;
  elevation: number;
  /** Half extents in degrees. */
  width: number;
  height: number;
  /** Linear radiance. */
  radiance: Vec3;
}

/** A procedural surrounding: a vertical gradient with softboxes. */
export interface Studio {
  zenith: Vec3;
  horizon: Vec3;
  nadir: Vec3;
  boxes: Softbox[];
}

/** Neutral light for assets that bring none: a large key at the front left, a fill, a rim and a bright ceiling. */
export const NEUTRAL_STUDIO: Studio = {
  zenith: [0.85, 0.87, 0.9],
  horizon: [0.55, 0.55, 0.55],
  nadir: [0.24, 0.235, 0.23],
  boxes: [
    { azimuth: -140, elevation: 38, width: 26, height: 22, radiance: [6.2, 6.1, 5.9] },
    { azimuth: 125, elevation: 15, width: 20, height: 30, radiance: [1.7, 1.75, 1.85] },
    { azimuth: 12, elevation: 32, width: 30, height: 10, radiance: [3.4, 3.4, 3.5] },
    { azimuth: 60, elevation: 55, width: 14, height: 12, radiance: [2.6, 2.6, 2.6] },
  ],
};

/** Low warm sun against a blue sky. */
export const SUNSET_STUDIO: Studio = {
  zenith: [0.16, 0.22, 0.4],
  horizon: [0.75, 0.5, 0.36],
  nadir: [0.14, 0.1, 0.08],
  boxes: [
    { azimuth: -115, elevation: 14, width: 9, height: 8, radiance: [40, 20, 8.5] },
    { azimuth: 90, elevation: 30, width: 40, height: 25, radiance: [0.35, 0.5, 0.9] },
  ],
};

/** A dark room with a hard top light and a cool strip from behind. */
export const NIGHT_STUDIO: Studio = {
  zenith: [0.05, 0.05, 0.06],
  horizon: [0.035, 0.04, 0.05],
  nadir: [0.02, 0.02, 0.02],
  boxes: [
    { azimuth: -160, elevation: 62, width: 16, height: 12, radiance: [17, 16, 14.5] },
    { azimuth: 35, elevation: 12, width: 5, height: 38, radiance: [5, 7.5, 12] },
    { azimuth: -60, elevation: 5, width: 5, height: 34, radiance: [7, 4.4, 2.8] },
  ],
};

/** Renders a studio into an equirectangular map in the convention of `Asset.environment`. */
export function paintStudio(studio: Studio, width = 256, height = 128): HdrImage {
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const elevation = 90 - ((y + 0.5) / height) * 180;
    const above = smoothstep(0, 1, elevation / 70);
    const below = smoothstep(0, 1, -elevation / 40);
    for (let x = 0; x < width; x++) {
      const azimuth = ((x + 0.5) / width - 0.5) * 360;
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        data[at + c] =
          studio.horizon[c] +
          (studio.zenith[c] - studio.horizon[c]) * above +
          (studio.nadir[c] - studio.horizon[c]) * below;
      }
      for (const box of studio.boxes) {
        const around = ((azimuth - box.azimuth + 540) % 360) - 180;
        const dx = Math.abs(around) * Math.cos((elevation * Math.PI) / 180);
        const dy = Math.abs(elevation - box.elevation);
        const edge = 4;
        const inside =
          smoothstep(0, 1, (box.width - dx) / edge + 0.5) * smoothstep(0, 1, (box.height - dy) / edge + 0.5);
        for (let c = 0; c < 3; c++) data[at + c] += box.radiance[c] * inside;
      }
    }
  }
  return { width, height, data };
}
