import { useEffect, useRef, useState } from 'react';
import type { UnderstoodView } from './understand.js';

type Vector = [number, number, number];

/** The cameras in space, drawn as pyramids; turns by dragging or with the arrow keys. */
export function Frusta({ views, assumed }: { views: UnderstoodView[]; assumed: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [turn, setTurn] = useState({ around: 0.7, up: 0.45 });
  const drag = useRef<{ x: number; y: number } | undefined>(undefined);
  const posed = views.filter((v) => v.camera);

  useEffect(() => {
    const element = canvas.current!;
    const paint = (): void => draw(element, posed, turn);
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', paint);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', paint);
    };
  }, [posed, turn]);

  const by = (around: number, up: number): void =>
    setTurn((t) => ({ around: t.around + around, up: Math.min(1.5, Math.max(-1.5, t.up + up)) }));
  const words = `${posed.length} cameras around the object${assumed ? ', placed as six views usually are' : ''}`;
  return (
    <figure className="frusta">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`${words}. Arrow keys turn the drawing.`}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          drag.current = { x: e.clientX, y: e.clientY };
        }}
        onPointerMove={(e) => {
          if (!drag.current) return;
          by((drag.current.x - e.clientX) * 0.01, (e.clientY - drag.current.y) * 0.01);
          drag.current = { x: e.clientX, y: e.clientY };
        }}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onKeyDown={(e) => {
          const step = { ArrowLeft: [0.15, 0], ArrowRight: [-0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[e.key];
          if (!step) return;
          e.preventDefault();
          by(step[0], step[1]);
        }}
      />
      <figcaption className="quiet small">{words}. Drag to turn.</figcaption>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement, views: UnderstoodView[], turn: { around: number; up: number }): void {
  const scale = Math.min(2, devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context || views.length === 0) return;
  const style = getComputedStyle(canvas);
  const [ink, accent, second] = ['--line-strong', '--accent', '--warm'].map((n) => style.getPropertyValue(n));
  context.scale(scale, scale);

  const centres = views.map((v): Vector => [v.camera!.pose[3], v.camera!.pose[7], v.camera!.pose[11]]);
  const target = focus(views);
  const radius = Math.max(
    ...centres.map((c) => Math.hypot(c[0] - target[0], c[1] - target[1], c[2] - target[2])),
    1e-6,
  );
  const [ca, sa, cu, su] = [Math.cos(turn.around), Math.sin(turn.around), Math.cos(turn.up), Math.sin(turn.up)];
  const zoom = Math.min(width, height) * 0.62;
  const project = (p: Vector): [number, number] => {
    const [x, y, z] = [0, 1, 2].map((i) => (p[i] - target[i]) / radius);
    const [rx, ry] = [x * ca + y * sa, -x * sa + y * ca];
    const [depth, rise] = [ry * cu - z * su, ry * su + z * cu];
    const f = zoom / (2.6 + depth) / 0.62;
    return [width / 2 + rx * f, height / 2 - rise * f];
  };
  const line = (points: Vector[], colour: string, thickness: number): void => {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.beginPath();
    points.forEach((p, i) => {
      const [x, y] = project(p);
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    context.stroke();
  };
  const at = (x: number, y: number, z: number): Vector => [
    target[0] + x * radius,
    target[1] + y * radius,
    target[2] + z * radius,
  ];
  for (const r of [0.5, 1])
    line(
      Array.from({ length: 49 }, (_, i) => at(r * Math.cos((i * Math.PI) / 24), r * Math.sin((i * Math.PI) / 24), 0)),
      ink,
      0.75,
    );
  const b = 0.16;
  for (const z of [-b, b]) line([at(-b, -b, z), at(b, -b, z), at(b, b, z), at(-b, b, z), at(-b, -b, z)], ink, 1.5);
  for (const [x, y] of [
    [-b, -b],
    [b, -b],
    [b, b],
    [-b, b],
  ])
    line([at(x, y, -b), at(x, y, b)], ink, 1.5);

  const reach = radius * (views.length > 40 ? 0.13 : 0.2);
  views.forEach((view, i) => {
    const { pose, angle } = view.camera!;
    const half = Math.tan(angle / 2) * reach;
    const corner = (sx: number, sy: number): Vector =>
      [0, 1, 2].map(
        (r) => centres[i][r] + pose[r * 4] * sx * half + pose[r * 4 + 1] * sy * half - pose[r * 4 + 2] * reach,
      ) as Vector;
    const corners = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
    const colour = view.test ? second : accent;
    line([...corners, corners[0]], colour, 1.25);
    for (const c of corners) line([centres[i], c], colour, 1.25);
  });
}

/** The point nearest to all lines of sight. */
function focus(views: UnderstoodView[]): Vector {
  const m = [0, 0, 0, 0, 0, 0];
  const v = [0, 0, 0];
  for (const { camera } of views) {
    const { pose } = camera!;
    const d = [pose[2], pose[6], pose[10]];
    const c = [pose[3], pose[7], pose[11]];
    const a = [1 - d[0] * d[0], -d[0] * d[1], -d[0] * d[2], 1 - d[1] * d[1], -d[1] * d[2], 1 - d[2] * d[2]];
    for (let i = 0; i < 6; i++) m[i] += a[i];
    v[0] += a[0] * c[0] + a[1] * c[1] + a[2] * c[2];
    v[1] += a[1] * c[0] + a[3] * c[1] + a[4] * c[2];
    v[2] += a[2] * c[0] + a[4] * c[1] + a[5] * c[2];
  }
  const [a, b, c, d, e, f] = m;
  const det = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d);
  if (Math.abs(det) < 1e-9) return [0, 0, 0];
  return [
    (v[0] * (d * f - e * e) - b * (v[1] * f - e * v[2]) + c * (v[1] * e - d * v[2])) / det,
    (a * (v[1] * f - e * v[2]) - v[0] * (b * f - c * e) + c * (b * v[2] - v[1] * c)) / det,
    (a * (d * v[2] - v[1] * e) - b * (b * v[2] - v[1] * c) + v[0] * (b * e - c * d)) / det,
  ];
}
