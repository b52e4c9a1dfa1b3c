import { describe, expect, it } from 'vitest';
import { DISTANCE_LIMIT, silhouetteDistance, touchesBorder } from './silhouetteDistance.js';

/** Coverage of a disc by 16×16 samples per pixel. */
function disc(size: number, cx: number, cy: number, radius: number) {
  const data = new Float32Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      let hits = 0;
      for (let j = 0; j < 16; j++)
        for (let i = 0; i < 16; i++) {
          if (Math.hypot(x + (i + 0.5) / 16 - cx, y + (j + 0.5) / 16 - cy) < radius) hits++;
        }
      data[y * size + x] = hits / 256;
    }
  return { width: size, height: size, data };
}

describe('silhouetteDistance', () => {
  it('finds the outline of an anti-aliased disc to a small part of a pixel, near and far', () => {
    const size = 64;
    const distance = silhouetteDistance(disc(size, 30.3, 33.8, 15.4));
    let greatest = 0;
    let sum = 0;
    let count = 0;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const truth = Math.hypot(x + 0.5 - 30.3, y + 0.5 - 33.8) - 15.4;
        if (truth < -13) continue; // around the centre all directions are equally near
        const error = Math.abs(distance[y * size + x] - truth);
        greatest = Math.max(greatest, error);
        sum += error;
        count++;
      }
    expect(greatest).toBeLessThan(0.2);
    expect(sum / count).toBeLessThan(0.05);
  });

  it('is exact for a straight edge between pixels', () => {
    const width = 8;
    const data = Float32Array.from({ length: 64 }, (_, i) => (i % width < 3 ? 1 : i % width === 3 ? 0.5 : 0));
    const distance = silhouetteDistance({ width, height: 8, data });
    for (let x = 0; x < width; x++) expect(distance[4 * width + x]).toBeCloseTo(x - 3, 5);
  });

  it('is at its limit where there is no outline, with the sign of the mask', () => {
    expect(silhouetteDistance({ width: 2, height: 2, data: new Float32Array(4) })[0]).toBe(DISTANCE_LIMIT);
    expect(silhouetteDistance({ width: 2, height: 2, data: new Float32Array(4).fill(1) })[0]).toBe(-DISTANCE_LIMIT);
  });
});

describe('touchesBorder', () => {
  it('tells whether the object runs out of the picture', () => {
    expect(touchesBorder(disc(32, 16, 16, 10))).toBe(false);
    expect(touchesBorder(disc(32, 16, 4, 10))).toBe(true);
    expect(touchesBorder(disc(32, 30, 16, 10))).toBe(true);
  });
});
