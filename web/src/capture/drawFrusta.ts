import { focus } from './focus.js';
import type { SketchCamera, UnderstoodView } from './understanding.js';

type Vector = [number, number, number];
type Point = [number, number];

/** Where the drawing is seen from, radians. */
export interface Turn {
  around: number;
  up: number;
}

/** Length of a pyramid as a share of the distance of the cameras; less where there are many. */
const REACH = { few: 0.42, many: 0.16, manyFrom: 30 } as const;
/** Half a side of the box that stands for the object. */
const BOX = 0.14;
/** Distance of the eye in radii of the cameras' sphere. */
const EYE = 3;

/**
 * Draws cameras as pyramids around a box, far ones first; those that are left out dashed and without picture. Colours
 * come from the page's own properties.
 */
export function drawFrusta(
  canvas: HTMLCanvasElement,
  views: UnderstoodView[],
  leftOut: readonly SketchCamera[],
  pictures: Map<UnderstoodView, ImageBitmap>,
  turn: Turn,
): void {
  const scale = Math.min(2, devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context || views.length === 0) return;
  const style = getComputedStyle(canvas);
  const [ink, accent, second, paper, bad] = ['--line-strong', '--accent', '--warm', '--card', '--bad'].map((n) =>
    style.getPropertyValue(n),
  );
  context.scale(scale, scale);

  const centres = views.map((v): Vector => [v.camera!.pose[3], v.camera!.pose[7], v.camera!.pose[11]]);
  const target = focus(views);
  const away = centres.map((c) => Math.hypot(c[0] - target[0], c[1] - target[1], c[2] - target[2]));
  const radius = Math.max(...away, 1e-6);
  const [ca, sa, cu, su] = [Math.cos(turn.around), Math.sin(turn.around), Math.cos(turn.up), Math.sin(turn.up)];
  const zoom = Math.min(width * 0.8, height) * 1.2;
  const place = (p: Vector): { at: Point; depth: number } => {
    const [x, y, z] = [0, 1, 2].map((i) => (p[i] - target[i]) / radius);
    const [rx, ry] = [x * ca + y * sa, -x * sa + y * ca];
    const [depth, rise] = [ry * cu - z * su, ry * su + z * cu];
    const f = zoom / (EYE + depth);
    return { at: [width / 2 + rx * f, height / 2 - rise * f], depth };
  };
  const trace = (points: Vector[]): void => {
    context.beginPath();
    for (const p of points) context.lineTo(...place(p).at);
  };
  const line = (points: Vector[], colour: string, thickness: number): void => {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    trace(points);
    context.stroke();
  };
  const at = (x: number, y: number, z: number): Vector => [
    target[0] + x * radius,
    target[1] + y * radius,
    target[2] + z * radius,
  ];

  for (const r of [0.5, 1]) {
    const ring = Array.from({ length: 65 }, (_, i) => (i * Math.PI) / 32);
    line(
      ring.map((a) => at(r * Math.cos(a), r * Math.sin(a), 0)),
      ink,
      0.5,
    );
  }
  const corners = [
    [-BOX, -BOX],
    [BOX, -BOX],
    [BOX, BOX],
    [-BOX, BOX],
  ];
  const box = (): void => {
    for (const z of [-BOX, BOX])
      line(
        [...corners, corners[0]].map(([x, y]) => at(x, y, z)),
        ink,
        1.5,
      );
    for (const [x, y] of corners) line([at(x, y, -BOX), at(x, y, BOX)], ink, 1.5);
  };

  const reach = radius * (views.length < REACH.manyFrom ? REACH.few : REACH.many);
  const frustum = ({ pose, angle }: SketchCamera, centre: Vector, colour: string, picture?: ImageBitmap): void => {
    const half = Math.tan(angle / 2) * reach;
    const tall = picture ? (half * picture.height) / picture.width : half;
    const corner = (sx: number, sy: number): Vector =>
      [0, 1, 2].map(
        (r) => centre[r] + pose[r * 4] * sx * half + pose[r * 4 + 1] * sy * tall - pose[r * 4 + 2] * reach,
      ) as Vector;
    const [topLeft, topRight, bottomRight, bottomLeft] = [corner(-1, 1), corner(1, 1), corner(1, -1), corner(-1, -1)];
    const ends = [topLeft, topRight, bottomRight, bottomLeft];
    trace(ends);
    context.fillStyle = paper;
    context.globalAlpha = 0.7;
    context.fill();
    context.globalAlpha = 1;
    if (picture) {
      // So small a quad is as good as a parallelogram.
      const [[ox, oy], [rx, ry], [bx, by]] = [topLeft, topRight, bottomLeft].map((p) => place(p).at);
      context.save();
      context.transform(
        (rx - ox) / picture.width,
        (ry - oy) / picture.width,
        (bx - ox) / picture.height,
        (by - oy) / picture.height,
        ox,
        oy,
      );
      context.drawImage(picture, 0, 0);
      context.restore();
    }
    line([...ends, topLeft, topRight], colour, 1.25);
    for (const end of ends) line([centre, end], colour, 1);
    const [x, y] = place(centre).at;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, 2.5, 0, 2 * Math.PI);
    context.fill();
  };

  const used = views.map((view) => ({
    camera: view.camera!,
    colour: view.test ? second : accent,
    picture: pictures.get(view),
    dash: [] as number[],
  }));
  const absent = leftOut.map((camera) => ({ camera, colour: bad, picture: undefined, dash: [4, 3] }));
  const order = [...used, ...absent].map((one) => {
    const { pose } = one.camera;
    const centre: Vector = [pose[3], pose[7], pose[11]];
    return { ...one, centre, depth: place(centre).depth };
  });
  order.sort((a, b) => b.depth - a.depth);
  const draw = ({ camera, centre, colour, picture, dash }: (typeof order)[number]): void => {
    context.setLineDash(dash);
    frustum(camera, centre, colour, picture);
    context.setLineDash([]);
  };
  for (const one of order) if (one.depth > 0) draw(one);
  box();
  for (const one of order) if (one.depth <= 0) draw(one);
}
