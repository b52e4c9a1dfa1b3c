/** The smallest positive value within `radius` cells (square window); 0 where there is none. */
export function nearestAround(values: Float32Array, width: number, height: number, radius: number): Float32Array {
  const sweep = (
    source: Float32Array,
    stride: number,
    count: number,
    lines: number,
    lineStride: number,
  ): Float32Array => {
    const out = new Float32Array(source.length);
    for (let l = 0; l < lines; l++)
      for (let i = 0; i < count; i++) {
        let least = 0;
        const to = Math.min(count - 1, i + radius);
        for (let j = Math.max(0, i - radius); j <= to; j++) {
          const v = source[l * lineStride + j * stride];
          if (v > 0 && (least === 0 || v < least)) least = v;
        }
        out[l * lineStride + i * stride] = least;
      }
    return out;
  };
  return sweep(sweep(values, 1, width, height, width), width, height, width, 1);
}
