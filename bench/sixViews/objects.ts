/**
 * Objects of known shape on which readings of six views go wrong: thin and see-through, symmetric by 2, 3, 4 and all
 * round, in front of themselves, flat, spherical. +Y up, the front towards +Z.
 */
import type { Vec3 } from '../../src/core/math.js';
import { bar, box, type Color, ellipsoid, lathe, moved, type Paint, type Part, ring, tube, turned } from './shapes.js';

const WOOD: Color = [132, 82, 44];
const BRASS: Color = [190, 150, 70];
const CREAM: Color = [222, 214, 196];
const RED: Color = [176, 42, 38];
const BLUE: Color = [40, 70, 150];
const GREEN: Color = [48, 120, 78];
const GREY: Color = [120, 124, 128];
const DARK: Color = [44, 44, 50];

/** Squares of two colours. */
const checker =
  (a: Color, b: Color, scale: number): Paint =>
  (x, y, z) =>
    (Math.floor(x * scale + 0.31) + Math.floor(y * scale + 0.17) + Math.floor(z * scale + 0.43)) & 1 ? a : b;
/** Soft waves in no common direction, which repeat nowhere on the object: as grain and glazes do. */
const grain =
  (a: Color, b: Color, scale: number): Paint =>
  (x, y, z) => {
    const t =
      0.5 +
      0.25 * Math.sin(scale * (1.9 * x + 0.7 * y - 1.3 * z) + 0.6) +
      0.25 * Math.sin(scale * (0.8 * z + 1.7 * y + 0.5 * x) + 1.7 * Math.sin(scale * 0.6 * (x - z)));
    return [0, 1, 2].map((k) => a[k] + t * (b[k] - a[k])) as unknown as Color;
  };

const around = (count: number, make: (angle: number, index: number) => Part): Part[] =>
  Array.from({ length: count }, (_, i) => make((2 * Math.PI * i) / count, i));
const polar = (radius: number, angle: number, y: number): Vec3 => [
  radius * Math.sin(angle),
  y,
  radius * Math.cos(angle),
];
const X: Vec3 = [1, 0, 0];
const Y: Vec3 = [0, 1, 0];
const Z: Vec3 = [0, 0, 1];

function knot(p: number, q: number, radius: number, wave: number, rise: number, thickness: number): Part {
  return tube(
    (t) => {
      const a = 2 * Math.PI * t;
      const r = radius + wave * Math.cos(q * a);
      return [r * Math.cos(p * a), rise * Math.sin(q * a), -r * Math.sin(p * a)];
    },
    thickness,
    grain([32, 120, 84], [212, 196, 80], 7),
    { steps: 240, closed: true },
  );
}

/** An object's parts by name. */
export const OBJECTS: Record<string, () => Part[]> = {
  /** Two slabs on four thin posts, a ball between. */
  lamp: () => [
    box([0, -0.72, 0], [0.44, 0.08, 0.44], grain(WOOD, DARK, 9)),
    box([0, 0.6, 0], [0.38, 0.06, 0.38], grain(WOOD, DARK, 9)),
    ...around(4, (a) => bar(polar(0.44, a + Math.PI / 4, -0.7), polar(0.44, a + Math.PI / 4, 0.6), 0.036, BRASS)),
    ellipsoid([0, -0.15, 0], [0.27, 0.27, 0.27], checker(CREAM, RED, 7)),
    ring([0, 0.82, 0], X, Y, 0.16, 0.03, BRASS),
  ],
  /** Four posts on a slab under a smaller roof, an egg between. */
  pergola: () => [
    box([0, -0.66, 0], [0.5, 0.06, 0.5], checker(GREY, CREAM, 5)),
    box([0, 0.55, 0], [0.4, 0.08, 0.4], grain(RED, WOOD, 8)),
    ...around(4, (a) => bar(polar(0.5, a + Math.PI / 4, -0.65), polar(0.46, a + Math.PI / 4, 0.5), 0.03, WOOD)),
    ellipsoid([0, -0.38, 0], [0.2, 0.24, 0.2], grain(BLUE, CREAM, 9)),
    lathe(
      [
        [0, 0.62],
        [0.2, 0.62],
        [0.02, 0.9],
        [0, 0.9],
      ],
      BRASS,
    ),
  ],
  /** A cage of six bars about a cone. */
  cage: () => [
    lathe(
      [
        [0, -0.62],
        [0.5, -0.62],
        [0.5, -0.55],
        [0, -0.55],
      ],
      grain(GREY, DARK, 8),
    ),
    lathe(
      [
        [0, 0.5],
        [0.5, 0.5],
        [0.42, 0.62],
        [0, 0.66],
      ],
      grain(WOOD, CREAM, 8),
    ),
    ...around(6, (a) => bar(polar(0.44, a + 0.2, -0.6), polar(0.44, a + 0.2, 0.55), 0.025, BRASS)),
    lathe(
      [
        [0, -0.56],
        [0.28, -0.56],
        [0.05, 0.2],
        [0, 0.2],
      ],
      checker(BLUE, CREAM, 6),
    ),
  ],
  table: () => [
    box([0, 0.36, 0], [0.6, 0.04, 0.6], checker(WOOD, [156, 110, 66], 4)),
    ...around(4, (a) => bar(polar(0.72, a + Math.PI / 4, 0.34), polar(0.78, a + Math.PI / 4, -0.55), 0.045, WOOD)),
    lathe(
      [
        [0, 0.4],
        [0.12, 0.4],
        [0.16, 0.6],
        [0.06, 0.72],
        [0, 0.72],
      ],
      grain(BLUE, CREAM, 14),
    ),
  ],
  stool: () => [
    lathe(
      [
        [0, 0.3],
        [0.42, 0.3],
        [0.45, 0.36],
        [0.4, 0.42],
        [0, 0.4],
      ],
      checker(RED, CREAM, 6),
    ),
    ...around(3, (a) => bar(polar(0.25, a, 0.32), polar(0.5, a, -0.6), 0.04, GREY)),
    ring([0, -0.25, 0], X, Z, 0.4, 0.025, BRASS),
  ],
  knot: () => [
    knot(2, 3, 0.5, 0.22, 0.3, 0.13),
    lathe(
      [
        [0, -0.58],
        [0.75, -0.58],
        [0.75, -0.46],
        [0, -0.46],
      ],
      grain(GREY, DARK, 12),
    ),
  ],
  /** A thinner knot, its foot narrower than itself. */
  pretzel: () => [
    knot(2, 3, 0.46, 0.26, 0.36, 0.1),
    lathe(
      [
        [0, -0.62],
        [0.55, -0.62],
        [0.5, -0.48],
        [0, -0.48],
      ],
      checker(GREY, DARK, 6),
    ),
  ],
  /** Five-fold, through itself. */
  wreath: () => [knot(2, 5, 0.55, 0.17, 0.24, 0.09)],
  propeller: () => [
    ellipsoid([0, 0, 0], [0.14, 0.14, 0.2], BRASS),
    ...around(2, (_, i) => {
      const s = i === 0 ? 1 : -1;
      return bar([0, 0, 0], [0.8 * s, 0.25 * s, 0.05], 0.09, i === 0 ? checker(RED, CREAM, 8) : grain(RED, DARK, 8));
    }),
    box([0, -0.35, -0.05], [0.06, 0.3, 0.06], GREY),
    box([0, -0.64, -0.05], [0.3, 0.04, 0.2], DARK),
  ],
  /** Two beams across, of equal length. */
  crossing: () => [
    turned(box([0, 0.1, 0], [0.75, 0.08, 0.09], grain(WOOD, CREAM, 7)), 35),
    turned(box([0, -0.08, 0], [0.75, 0.08, 0.09], grain(GREEN, DARK, 7)), -35),
    bar([0, -0.5, 0], [0, 0.45, 0], 0.05, BRASS),
    lathe(
      [
        [0, -0.56],
        [0.35, -0.56],
        [0.32, -0.48],
        [0, -0.48],
      ],
      grain(GREY, DARK, 9),
    ),
  ],
  fan: () => [
    ...around(3, (a, i) =>
      tube(
        (t) => [0.72 * t * Math.sin(a), 0.1 + 0.72 * t * Math.cos(a), 0.12 * Math.sin(3 * t)],
        0.09,
        [RED, BLUE, GREEN][i],
      ),
    ),
    ellipsoid([0, 0.1, 0.02], [0.15, 0.15, 0.18], BRASS),
    bar([0, 0.1, -0.05], [0, -0.8, -0.05], 0.05, GREY),
    lathe(
      [
        [0, -0.86],
        [0.34, -0.86],
        [0.3, -0.78],
        [0, -0.78],
      ],
      DARK,
    ),
  ],
  bottle: () => [
    lathe(
      [
        [0, -0.8],
        [0.3, -0.8],
        [0.33, -0.75],
        [0.33, 0.15],
        [0.26, 0.35],
        [0.11, 0.5],
        [0.1, 0.8],
        [0.12, 0.86],
        [0, 0.86],
      ],
      (x, y, z) => (Math.abs(y + 0.3) < 0.3 ? grain(CREAM, RED, 9)(x, y, z) : GREEN),
    ),
  ],
  goblet: () => [
    lathe(
      [
        [0, -0.7],
        [0.34, -0.7],
        [0.3, -0.64],
        [0.06, -0.56],
        [0.05, -0.15],
        [0.2, 0],
        [0.36, 0.25],
        [0.4, 0.7],
        [0.36, 0.7],
        [0.32, 0.27],
        [0.16, 0.06],
        [0, 0.03],
      ],
      grain(BRASS, [90, 40, 90], 10),
    ),
  ],
  /** Round, of one colour: how it is turned cannot be told, nor does it matter. */
  pawn: () => [
    lathe(
      [
        [0, -0.6],
        [0.36, -0.6],
        [0.36, -0.5],
        [0.26, -0.42],
        [0.12, -0.1],
        [0.13, 0.12],
        [0.22, 0.18],
        [0.1, 0.24],
        [0, 0.26],
      ],
      CREAM,
    ),
    ellipsoid([0, 0.4, 0], [0.2, 0.2, 0.2], CREAM),
  ],
  spring: () => [
    tube(
      (t) => [0.42 * Math.sin(2 * Math.PI * 4 * t), -0.6 + 1.2 * t, 0.42 * Math.cos(2 * Math.PI * 4 * t)],
      0.07,
      grain(GREY, BLUE, 6),
      { steps: 260 },
    ),
    lathe(
      [
        [0, -0.74],
        [0.52, -0.74],
        [0.52, -0.66],
        [0, -0.66],
      ],
      DARK,
    ),
  ],
  stairs: () => [
    bar([0, -0.75, 0], [0, 0.75, 0], 0.07, BRASS),
    ...Array.from({ length: 11 }, (_, i) =>
      moved(turned(box([0.3, 0, 0], [0.28, 0.025, 0.1], grain(WOOD, CREAM, 9)), 33 * i), [0, -0.65 + 0.13 * i, 0]),
    ),
  ],
  plate: () => [
    lathe(
      [
        [0, -0.05],
        [0.35, -0.05],
        [0.72, 0.05],
        [0.72, 0.08],
        [0.36, 0],
        [0, 0],
      ],
      grain(CREAM, BLUE, 8),
    ),
    ellipsoid([0.28, 0.08, 0.1], [0.16, 0.11, 0.13], RED),
  ],
  frame: () => [
    box([-0.55, 0, 0], [0.09, 0.7, 0.06], grain(WOOD, DARK, 10)),
    box([0.55, 0, 0], [0.09, 0.7, 0.06], grain(WOOD, DARK, 10)),
    box([0, 0.61, 0], [0.5, 0.09, 0.06], grain(WOOD, DARK, 10)),
    box([0, -0.61, 0], [0.5, 0.09, 0.06], grain(WOOD, DARK, 10)),
    bar([-0.46, -0.53, 0], [0.46, 0.53, 0], 0.05, BRASS),
    box([0.1, -0.66, 0.14], [0.12, 0.04, 0.12], DARK),
  ],
  ball: () => [ellipsoid([0, 0, 0], [0.6, 0.6, 0.6], grain(RED, CREAM, 6))],
  globe: () => [
    ellipsoid([0, 0.12, 0], [0.5, 0.5, 0.5], grain(BLUE, GREEN, 7)),
    tube((t) => [0.57 * Math.sin(Math.PI * t + 0.4), 0.12 - 0.57 * Math.cos(Math.PI * t + 0.4), 0], 0.03, BRASS),
    lathe(
      [
        [0, -0.72],
        [0.3, -0.72],
        [0.26, -0.66],
        [0.05, -0.6],
        [0.05, -0.42],
        [0, -0.42],
      ],
      WOOD,
    ),
  ],
  mug: () => [
    lathe(
      [
        [0, -0.5],
        [0.42, -0.5],
        [0.44, 0.5],
        [0.38, 0.5],
        [0.36, -0.42],
        [0, -0.42],
      ],
      checker(CREAM, BLUE, 5),
    ),
    tube(
      (t) => [0.42 + 0.28 * Math.sin(Math.PI * t), 0.3 * Math.cos(Math.PI * t), 0.1 * Math.sin(Math.PI * t)],
      0.055,
      RED,
    ),
  ],
  teapot: () => [
    ellipsoid([0, -0.1, 0], [0.48, 0.4, 0.48], grain(CREAM, RED, 6)),
    tube((t) => [0.35 + 0.45 * t, -0.15 + 0.42 * t * t, 0], 0.075, CREAM),
    tube((t) => [-0.4 - 0.3 * Math.sin(Math.PI * t), -0.1 + 0.25 * Math.cos(Math.PI * t), 0], 0.05, WOOD),
    ellipsoid([0, 0.35, 0], [0.09, 0.09, 0.09], BRASS),
  ],
  car: () => [
    box([0, -0.12, 0.02], [0.34, 0.14, 0.78], grain(RED, [120, 24, 24], 5)),
    box([0, 0.14, -0.1], [0.28, 0.14, 0.38], grain(DARK, BLUE, 6)),
    ...[-0.32, 0.32].flatMap((x) =>
      [-0.48, 0.5].map((z) => bar([x - 0.06, -0.24, z], [x + 0.06, -0.24, z], 0.16, DARK)),
    ),
  ],
  /** As a shoe is: long, hollow, pale sole under a coloured upper. */
  boot: () => [
    ellipsoid([0, -0.36, 0.05], [0.26, 0.08, 0.78], CREAM),
    ellipsoid([0, -0.2, 0.12], [0.23, 0.22, 0.66], grain(RED, DARK, 6)),
    moved(
      lathe(
        [
          [0, -0.2],
          [0.24, -0.2],
          [0.22, 0.42],
          [0.17, 0.42],
          [0.16, -0.1],
          [0, -0.1],
        ],
        RED,
      ),
      [0, -0.05, -0.4],
    ),
  ],
  animal: () => [
    ellipsoid([0, 0, -0.1], [0.32, 0.28, 0.58], grain(WOOD, CREAM, 6)),
    ellipsoid([0.06, 0.32, 0.5], [0.2, 0.22, 0.24], CREAM),
    ...[
      [0.2, 0.25],
      [-0.2, 0.3],
      [0.2, -0.4],
      [-0.2, -0.45],
    ].map(([x, z]) => bar([x, -0.1, z], [x * 1.1, -0.72, z], 0.075, WOOD)),
    tube((t) => [0.12 * t, 0.1 + 0.4 * t, -0.62 - 0.2 * t * (1 - t)], 0.05, DARK),
  ],
  chair: () => [
    box([0, -0.05, 0], [0.42, 0.05, 0.42], checker(RED, BLUE, 6)),
    ...around(4, (a) => bar(polar(0.5, a + Math.PI / 4, -0.07), polar(0.52, a + Math.PI / 4, -0.8), 0.045, WOOD)),
    ...[-0.32, -0.16, 0, 0.16, 0.32].map((x) => box([x, 0.4, -0.38], [0.035, 0.42, 0.025], WOOD)),
    bar([-0.45, 0.84, -0.38], [0.45, 0.84, -0.38], 0.05, GREY),
  ],
  wheel: () => [
    ring([0, 0, 0], X, Y, 0.66, 0.06, DARK),
    ...around(7, (a) => bar([0, 0, 0], [0.65 * Math.sin(a), 0.65 * Math.cos(a), 0], 0.022, GREY)),
    bar([0, 0, -0.12], [0, 0, 0.2], 0.07, BRASS),
    box([0, -0.72, 0], [0.3, 0.03, 0.24], grain(WOOD, DARK, 8)),
  ],
  tree: () => [
    bar([0, -0.8, 0], [0.05, 0.1, 0], 0.08, WOOD),
    ...around(5, (a, i) =>
      tube(
        (t) => [0.05 + 0.5 * t * Math.sin(a + 0.3 * t), -0.1 + 0.07 * i + 0.55 * t, 0.5 * t * Math.cos(a)],
        0.04,
        WOOD,
      ),
    ),
    ...around(5, (a, i) =>
      ellipsoid(
        [0.05 + 0.5 * Math.sin(a + 0.3), 0.45 + 0.07 * i, 0.5 * Math.cos(a)],
        [0.17, 0.13, 0.17],
        grain(GREEN, CREAM, 9),
      ),
    ),
  ],
};
