/** 1 where `values` is at least `limit`, else 0. */
export function threshold(values: ArrayLike<number>, limit: number): Uint8Array {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] >= limit ? 1 : 0;
  return out;
}

/** 1 where 0 and 0 where not. */
export function inverse(mask: Uint8Array): Uint8Array {
  const out = new Uint8Array(mask.length);
  for (let i = 0; i < out.length; i++) out[i] = mask[i] ? 0 : 1;
  return out;
}

/** The mask grown by a square of `radius` pixels on each side. */
export function dilate(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const across = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let last = -radius - 1;
    for (let x = 0; x < Math.min(radius, width); x++) if (mask[row + x]) last = x;
    for (let x = 0; x < width; x++) {
      if (x + radius < width && mask[row + x + radius]) last = x + radius;
      if (last >= x - radius) across[row + x] = 1;
    }
  }
  const out = new Uint8Array(mask.length);
  const last = new Int32Array(width).fill(-radius - 1);
  for (let y = 0; y < Math.min(radius, height); y++) {
    for (let x = 0; x < width; x++) if (across[y * width + x]) last[x] = y;
  }
  for (let y = 0; y < height; y++) {
    const enter = y + radius;
    for (let x = 0; x < width; x++) {
      if (enter < height && across[enter * width + x]) last[x] = enter;
      if (last[x] >= y - radius) out[y * width + x] = 1;
    }
  }
  return out;
}

/**
 * Signed distance to a mask's outline in pixels, positive inside, by chamfer steps of 1 and √2: exact beside the
 * outline, up to 8 % too long far from it, at a tenth of the time of the exact transform.
 */
export function chamferDistance(inside: Uint8Array, width: number, height: number): Float32Array {
  const out = new Float32Array(inside.length);
  const far = width + height;
  const diagonal = Math.SQRT2;
  for (const side of [1, 0]) {
    const d = new Float32Array(inside.length);
    for (let i = 0; i < d.length; i++) d[i] = inside[i] === side ? far : 0;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        let v = d[i];
        if (v === 0) continue;
        if (x > 0) v = Math.min(v, d[i - 1] + 1);
        if (y > 0) {
          v = Math.min(v, d[i - width] + 1);
          if (x > 0) v = Math.min(v, d[i - width - 1] + diagonal);
          if (x < width - 1) v = Math.min(v, d[i - width + 1] + diagonal);
        }
        d[i] = v;
      }
    for (let y = height - 1; y >= 0; y--)
      for (let x = width - 1; x >= 0; x--) {
        const i = y * width + x;
        let v = d[i];
        if (v === 0) continue;
        if (x < width - 1) v = Math.min(v, d[i + 1] + 1);
        if (y < height - 1) {
          v = Math.min(v, d[i + width] + 1);
          if (x > 0) v = Math.min(v, d[i + width - 1] + diagonal);
          if (x < width - 1) v = Math.min(v, d[i + width + 1] + diagonal);
        }
        d[i] = v;
      }
    for (let i = 0; i < d.length; i++) if (inside[i] === side) out[i] = side === 1 ? d[i] - 0.5 : 0.5 - d[i];
  }
  return out;
}
