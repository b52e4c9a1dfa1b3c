/**
 * A flat piece of surface with coordinates in scene units: a distance of 1 in the plane is a distance of 1 on the
 * surface.
 */
export interface Chart {
  /** x, y per corner, three corners per triangle. */
  corners: Float64Array;
}

export interface Packing {
  /** Texels per scene unit, the same for all charts. */
  scale: number;
  /**
   * Per chart: 2×3 affine transform [a, b, c, d, e, f] from chart to texel coordinates: u = a x + b y + c, v = d x + e
   * y + f.
   */
  transforms: Float64Array;
  /** Share of the texture's area that charts cover, 0…1. */
  utilisation: number;
}

/**
 * Resolution of the grid on which charts are placed. Twice as many cells take three times as long for one per cent more
 * area.
 */
const CELLS = 1024;

/**
 * Packs charts into a square texture as large as they go: each is placed where it ends highest up, in the best of four
 * rotations, largest first, by its true outline and not its box, so that small charts fill the hollows of large ones.
 * The common scale is found by bisection.
 *
 * Outlines are rasterised conservatively (every cell that a triangle touches) and kept `padding` texels apart and half
 * of that from the border. Occupied cells are kept per row as "last occupied column at or before x", so that testing a
 * run of cells is one look-up and tells how far to jump on a collision: 100 charts take some 100 ms a trial.
 *
 * @param size width and height of the texture, texels.
 * @param padding smallest distance between charts, texels.
 */
export function packCharts(
  charts: readonly Chart[],
  size: number,
  padding: number,
  tick?: (fraction: number) => void,
): Packing {
  const turns = charts.map(tightestTurn);
  const upright = charts.map((chart, i) => turn(chart, turns[i]));
  const cells = Math.min(CELLS, size);
  const texelsPerCell = size / cells;
  let area = 0;
  for (const c of charts) area += chartArea(c);
  if (!(area > 0)) throw new RangeError('charts without area');
  const many = charts.length > MANY_CHARTS;
  // In cells per scene unit. Of many charts, what lies between them takes much of the texture.
  const between = many ? padding / texelsPerCell + 1 : 0;
  let tooLarge = scaleThatFills(upright, area, cells, between, 1);
  let best: Placement[] | undefined;
  let bestScale = 0;
  let trial = scaleThatFills(upright, area, cells, between, 0.7);
  const steps = 9;
  const ranks = many ? RANKS.slice(0, 1) : RANKS;
  for (let step = 0; step < steps || !best; step++) {
    const masks = upright.map((chart) => {
      const mask = rasterise(chart, trial);
      return { ...mask, turned: [0, 1, 2, 3].map((rotation) => turnedRuns(mask, rotation)) };
    });
    let placed: Placement[] | undefined;
    for (const rank of ranks) placed ??= place(masks, rank, cells, padding / texelsPerCell);
    if (placed) {
      best = placed;
      bestScale = trial;
    } else tooLarge = trial;
    if (best && tooLarge / bestScale < (many ? 1.02 : 1.006)) break;
    trial = best ? (bestScale + tooLarge) / 2 : trial * 0.93;
    tick?.(Math.min(1, (step + 1) / steps));
    if (step > 400) throw new RangeError('charts cannot be packed: the padding leaves no room for them');
  }
  const transforms = new Float64Array(charts.length * 6);
  for (let i = 0; i < charts.length; i++) {
    const { x, y, rotation, width, height, minX, minY } = best[i];
    const s = bestScale * texelsPerCell;
    // Within the chart's own box of width × height cells, then turned by multiples of 90°, then moved to its place.
    const [u0, v0] = [-minX * bestScale, -minY * bestScale];
    const t = [
      [s, 0, u0 + x, 0, s, v0 + y],
      [0, -s, height - v0 + x, s, 0, u0 + y],
      [-s, 0, width - u0 + x, 0, -s, height - v0 + y],
      [0, s, v0 + x, -s, 0, width - u0 + y],
    ][rotation];
    // After the chart's own turn.
    const [cos, sin] = [Math.cos(turns[i]), Math.sin(turns[i])];
    const linear = [t[0] * cos + t[1] * sin, t[1] * cos - t[0] * sin, t[3] * cos + t[4] * sin, t[4] * cos - t[3] * sin];
    transforms.set([linear[0], linear[1], t[2] * texelsPerCell, linear[2], linear[3], t[5] * texelsPerCell], i * 6);
  }
  const scale = bestScale * texelsPerCell;
  return { scale, transforms, utilisation: (area * scale * scale) / (size * size) };
}

/**
 * The scale at which charts of an area, grown by half of `between` all around their boxes, fill a share of the cells. As
 * if nothing was between them where that alone is more than there is.
 */
function scaleThatFills(charts: readonly Chart[], area: number, cells: number, between: number, share: number): number {
  let sides = 0;
  if (between > 0) for (const chart of charts) sides += boxSides(chart);
  const left = share * cells * cells - charts.length * between * between;
  const half = (sides * between) / 2;
  if (between === 0 || left <= 0) return Math.sqrt((cells * cells) / area) * Math.sqrt(share);
  return (Math.sqrt(half * half + area * left) - half) / area;
}

/** Width and height of a chart's box together. */
function boxSides({ corners: c }: Chart): number {
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < c.length; i += 2) {
    minX = Math.min(minX, c[i]);
    maxX = Math.max(maxX, c[i]);
    minY = Math.min(minY, c[i + 1]);
    maxY = Math.max(maxY, c[i + 1]);
  }
  return maxX - minX + maxY - minY;
}

/** The angle by which a chart is turned so that its bounding box is smallest, to 1.5 degrees. */
function tightestTurn({ corners: c }: Chart): number {
  let best = 0;
  let least = Infinity;
  for (let step = 0; step < 60; step++) {
    const angle = (step / 60) * (Math.PI / 2);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < c.length; i += 2) {
      const x = cos * c[i] - sin * c[i + 1];
      const y = sin * c[i] + cos * c[i + 1];
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    const area = (maxX - minX) * (maxY - minY);
    // A turn must be worth it, lest rounding decide between boxes of the same size.
    if (area < least * (1 - 1e-6)) {
      least = area;
      best = angle;
    }
  }
  return best;
}

function turn({ corners: c }: Chart, angle: number): Chart {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const corners = new Float64Array(c.length);
  for (let i = 0; i < c.length; i += 2) {
    corners[i] = cos * c[i] - sin * c[i + 1];
    corners[i + 1] = sin * c[i] + cos * c[i + 1];
  }
  return { corners };
}

/**
 * From so many charts on, those of one size are not tried again above the last one's place: next to nothing is left
 * there, and looking would take most of the time.
 */
const MANY_CHARTS = 300;

/** Outlines of one class have widths and heights within about a fifth. */
const sizeClass = ({ width, height }: Outline): number =>
  64 * Math.round(4 * Math.log2(width)) + Math.round(4 * Math.log2(height));

interface Placement {
  x: number;
  y: number;
  /** Quarter turns. */
  rotation: number;
  /** Of the unturned outline, cells. */
  width: number;
  height: number;
  /** Lower corner of the chart, scene units. */
  minX: number;
  minY: number;
}

/** Occupied runs of an outline: columns `from[i]…to[i]` in row `row[i]`. */
interface Outline {
  width: number;
  height: number;
  row: Int32Array;
  from: Int32Array;
  to: Int32Array;
}

function chartArea(chart: Chart): number {
  const c = chart.corners;
  let sum = 0;
  for (let i = 0; i < c.length; i += 6)
    sum += Math.abs((c[i + 2] - c[i]) * (c[i + 5] - c[i + 1]) - (c[i + 4] - c[i]) * (c[i + 3] - c[i + 1])) / 2;
  return sum;
}

/**
 * What comes first when charts are placed: none of these orders is best for all sets of charts, so each gets its
 * chance.
 */
const RANKS: readonly ((mask: Mask) => number)[] = [
  (m) => m.width + m.height,
  (m) => Math.max(m.width, m.height),
  (m) => m.width * m.height,
];

/** Places all charts in an order, or tells that they do not fit. */
function place(
  masks: readonly (Mask & { turned: Outline[] })[],
  rank: (mask: Mask) => number,
  cells: number,
  padding: number,
): Placement[] | undefined {
  const order = Array.from(masks.keys()).sort((a, b) => rank(masks[b]) - rank(masks[a]) || a - b);
  const margin = padding / 2;
  const border = Math.ceil(margin);
  const reach = Math.ceil(padding);
  const grid = emptyGrid(cells, border);
  // By class of size: the row from which such outlines are tried.
  const begin = new Map<number, number>();
  const out: Placement[] = new Array(masks.length);
  for (const i of order) {
    const mask = masks[i];
    let best: { x: number; y: number; rotation: number; outline: Outline; end: number } | undefined;
    for (let rotation = 0; rotation < 4; rotation++) {
      const outline = mask.turned[rotation];
      const limit = Math.min(cells - border, best ? best.end - 1 : cells);
      const at = firstFit(grid, begin.get(sizeClass(outline)) ?? border, limit, outline);
      if (at) best = { ...at, rotation, outline, end: at.y + outline.height };
    }
    if (!best) return undefined;
    if (masks.length > MANY_CHARTS) begin.set(sizeClass(best.outline), best.y);
    occupy(grid, best.x, best.y, best.outline, reach);
    const { x, y, rotation } = best;
    out[i] = { x, y, rotation, width: mask.width, height: mask.height, minX: mask.minX, minY: mask.minY };
  }
  return out;
}

/** What is occupied of the texture. */
interface Grid {
  /** Along each side. */
  cells: number;
  /** Cells along the texture's border that stay free. */
  border: number;
  filled: Uint8Array;
  /** [y][x]: the greatest occupied column ≤ x in row y, or −1. */
  lastOccupied: Int16Array;
  /** Per row, the longest run of free cells within the border. */
  gap: Int16Array;
}

const emptyGrid = (cells: number, border: number): Grid => ({
  cells,
  border,
  filled: new Uint8Array(cells * cells),
  lastOccupied: new Int16Array(cells * cells).fill(-1),
  gap: new Int16Array(cells).fill(cells - 2 * border),
});

/**
 * The first place, by row and then column, where the outline begins at or after row `begin`, ends at or before row
 * `limit` and meets nothing.
 */
function firstFit(
  { cells, border, lastOccupied, gap }: Grid,
  begin: number,
  limit: number,
  { row, from, to, width, height }: Outline,
): { x: number; y: number } | undefined {
  const runs = row.length;
  const maxX = cells - border - width;
  // The run that collided last is tried first: it is the likeliest to collide again.
  let hot = 0;
  let tight = 0;
  for (let y = begin; y + height <= limit; y++) {
    // Most rows of a texture that is nearly full have no gap that is long enough: they need no search along them.
    if (gap[y + row[tight]] <= to[tight] - from[tight]) continue;
    let n = 0;
    while (n < runs && gap[y + row[n]] > to[n] - from[n]) n++;
    if (n < runs) {
      tight = n;
      continue;
    }
    let x = border;
    while (x <= maxX) {
      let jump = 0;
      for (let n = 0; n < runs; n++) {
        const r = n === 0 ? hot : n <= hot ? n - 1 : n;
        const last = lastOccupied[(y + row[r]) * cells + to[r] + x];
        if (last >= from[r] + x) {
          jump = last - from[r] + 1 - x;
          hot = r;
          break;
        }
      }
      if (jump === 0) return { x, y };
      x += jump;
    }
  }
  return undefined;
}

/** Marks the outline, grown by `reach` cells in all directions (a disc), as occupied. */
function occupy(grid: Grid, x: number, y: number, { row, from, to, height }: Outline, reach: number): void {
  const { cells, border, filled, lastOccupied, gap } = grid;
  for (let r = 0; r < row.length; r++)
    for (let dy = -reach; dy <= reach; dy++) {
      const yy = y + row[r] + dy;
      if (yy < 0 || yy >= cells) continue;
      // Cells are areas, not points: a row of cells between two outlines counts as its full height.
      const half = Math.ceil(Math.sqrt(reach * reach - Math.max(0, Math.abs(dy) - 1) ** 2));
      const a = Math.max(0, x + from[r] - half);
      const b = Math.min(cells - 1, x + to[r] + half);
      filled.fill(1, yy * cells + a, yy * cells + b + 1);
    }
  for (let yy = Math.max(0, y - reach); yy < Math.min(cells, y + height + reach); yy++) {
    let last = -1;
    let longest = 0;
    for (let xx = 0; xx < cells; xx++) {
      if (filled[yy * cells + xx]) last = xx;
      lastOccupied[yy * cells + xx] = last;
      if (xx < cells - border) longest = Math.max(longest, xx - Math.max(last, border - 1));
    }
    gap[yy] = longest;
  }
}

interface Mask {
  width: number;
  height: number;
  minX: number;
  minY: number;
  data: Uint8Array;
}

/** Every cell that a triangle of the chart touches, in the chart's own box. */
function rasterise(chart: Chart, scale: number): Mask {
  const c = chart.corners;
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < c.length; i += 2) {
    minX = Math.min(minX, c[i]);
    maxX = Math.max(maxX, c[i]);
    minY = Math.min(minY, c[i + 1]);
    maxY = Math.max(maxY, c[i + 1]);
  }
  const width = Math.max(1, Math.ceil((maxX - minX) * scale));
  const height = Math.max(1, Math.ceil((maxY - minY) * scale));
  const data = new Uint8Array(width * height);
  const px = [0, 0, 0];
  const py = [0, 0, 0];
  for (let i = 0; i < c.length; i += 6) {
    for (let k = 0; k < 3; k++) {
      px[k] = (c[i + k * 2] - minX) * scale;
      py[k] = (c[i + k * 2 + 1] - minY) * scale;
    }
    const top = Math.max(0, Math.floor(Math.min(py[0], py[1], py[2])));
    const bottom = Math.min(height - 1, Math.floor(Math.max(py[0], py[1], py[2])));
    for (let y = top; y <= bottom; y++) {
      // The triangle's extent within the band y…y+1: its corners there and where its edges cross the band's borders.
      let low = Infinity;
      let high = -Infinity;
      for (let k = 0; k < 3; k++) {
        const [x0, y0, x1, y1] = [px[k], py[k], px[(k + 1) % 3], py[(k + 1) % 3]];
        if (y0 >= y && y0 <= y + 1) {
          if (x0 < low) low = x0;
          if (x0 > high) high = x0;
        }
        for (let border = y; border <= y + 1; border++) {
          if (y0 < border === y1 < border) continue;
          const x = x0 + ((border - y0) / (y1 - y0)) * (x1 - x0);
          if (x < low) low = x;
          if (x > high) high = x;
        }
      }
      if (low > high) continue;
      const a = Math.max(0, Math.floor(low));
      const b = Math.min(width - 1, Math.floor(high));
      data.fill(1, y * width + a, y * width + b + 1);
    }
  }
  return { width, height, minX, minY, data };
}

/** The runs of a mask turned by quarter turns, longest first: the likeliest to collide. */
function turnedRuns(mask: Mask, rotation: number): Outline {
  const { width: w, height: h, data } = mask;
  const [width, height] = rotation % 2 === 0 ? [w, h] : [h, w];
  const at = (x: number, y: number): number => {
    if (rotation === 0) return data[y * w + x];
    if (rotation === 1) return data[(h - 1 - x) * w + y];
    if (rotation === 2) return data[(h - 1 - y) * w + (w - 1 - x)];
    return data[x * w + (w - 1 - y)];
  };
  const runs: [number, number, number][] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!at(x, y)) continue;
      const from = x;
      while (x + 1 < width && at(x + 1, y)) x++;
      runs.push([y, from, x]);
    }
  runs.sort((a, b) => b[2] - b[1] - (a[2] - a[1]) || a[0] - b[0] || a[1] - b[1]);
  return {
    width,
    height,
    row: Int32Array.from(runs, (r) => r[0]),
    from: Int32Array.from(runs, (r) => r[1]),
    to: Int32Array.from(runs, (r) => r[2]),
  };
}
