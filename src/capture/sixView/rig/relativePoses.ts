import { type Arrangement, type Axes, viewAxes } from './rig.js';
import type { ViewGrid } from './viewGrid.js';

/** Rotation from camera i to camera j and centre of i in j, in axes x right, y down, z forward, at unit distance. */
export interface Relative {
  m: Float64Array;
  t: Float64Array;
}

/** How every camera of an arrangement lies to every other: `[from][to]`. */
export function relativePoses(grids: readonly ViewGrid[], arrangement: Arrangement): Relative[][] {
  const axes = grids.map((g) => viewAxes(g.name, arrangement));
  const columns = (a: Axes): number[][] => [a.x, a.y.map((v) => -v), a.z.map((v) => -v)];
  return axes.map((from) =>
    axes.map((to) => {
      const [f, g] = [columns(from), columns(to)];
      const m = new Float64Array(9);
      const t = new Float64Array(3);
      for (let r = 0; r < 3; r++) {
        for (let c = 0; c < 3; c++) for (let k = 0; k < 3; k++) m[r * 3 + c] += g[r][k] * f[c][k];
        for (let k = 0; k < 3; k++) t[r] += g[r][k] * (from.z[k] - to.z[k]);
      }
      return { m, t };
    }),
  );
}
