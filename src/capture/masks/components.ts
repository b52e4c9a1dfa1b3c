export interface Components {
  /** 0 where the mask is empty, otherwise 1 + index into `areas`. */
  labels: Int32Array;
  /** Pixels of each component. */
  areas: number[];
}

/** Labels the 4-connected components of the pixels where `mask` is not 0 (or is 0, with `value` 0). */
export function components(mask: Uint8Array, width: number, value: 0 | 1 = 1): Components {
  const labels = new Int32Array(mask.length);
  const areas: number[] = [];
  const stack = new Int32Array(mask.length);
  for (let start = 0; start < mask.length; start++) {
    if (labels[start] !== 0 || (mask[start] !== 0) !== (value === 1)) continue;
    const label = areas.length + 1;
    let area = 0;
    let top = 0;
    stack[top++] = start;
    labels[start] = label;
    while (top > 0) {
      const i = stack[--top];
      area++;
      const x = i % width;
      for (let d = 0; d < 4; d++) {
        if ((d === 0 && x === 0) || (d === 1 && x === width - 1)) continue;
        const j = d === 0 ? i - 1 : d === 1 ? i + 1 : d === 2 ? i - width : i + width;
        if (j < 0 || j >= mask.length || labels[j] !== 0 || (mask[j] !== 0) !== (value === 1)) continue;
        labels[j] = label;
        stack[top++] = j;
      }
    }
    areas.push(area);
  }
  return { labels, areas };
}
