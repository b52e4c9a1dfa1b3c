/** How the soft shadow under an object is made, wherever it is drawn: in previews by the engine, in the page's viewer. */
export const GROUND_SHADOW = {
  /** Side of the square map, pixels. */
  size: 160,
  /** The map reaches this many times the object's half width, so that the shadow can fade out. */
  reach: 1.7,
  /** Height above ground, relative to the object's radius, at which the shadow has faded to 1/e. */
  fade: 0.16,
  /** How much of the light the darkest shadow takes, 0…1. */
  strength: 0.62,
} as const;

/**
 * The darkness of the ground, 0…1 a pixel of the map, as under an even sky.
 * @param nearness how close what stands above each pixel is: exp(−height / (fade · radius)), 0 where nothing does.
 */
export function softenShadow(nearness: Float32Array): Float32Array {
  const { size } = GROUND_SHADOW;
  const wide = blur(nearness, size, 0.11 * size);
  const tight = blur(nearness, size, 0.025 * size);
  return wide.map((w, i) => Math.min(1, 0.75 * w + 0.35 * tight[i]));
}

/** Three box filters in each direction: close to a Gaussian of the given deviation. Outside is 0. */
function blur(source: Float32Array, size: number, deviation: number): Float32Array {
  const r = Math.max(1, Math.round(deviation));
  let from = source;
  for (let pass = 0; pass < 6; pass++) {
    const to = new Float32Array(from.length);
    const [along, across] = pass % 2 === 0 ? [1, size] : [size, 1];
    for (let line = 0; line < size; line++) {
      let sum = 0;
      for (let i = -r; i < size; i++) {
        if (i + r < size) sum += from[line * across + (i + r) * along];
        if (i - r - 1 >= 0) sum -= from[line * across + (i - r - 1) * along];
        if (i >= 0) to[line * across + i * along] = sum / (2 * r + 1);
      }
    }
    from = to;
  }
  return from;
}
