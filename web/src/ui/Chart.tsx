import { useId } from 'react';
import { figure } from '../format.js';

export interface ChartProps {
  title: string;
  /** Values in order of time. Gaps are left out. */
  points: { x: number; y: number }[];
  unit?: string;
  /** Words for x, shown below. */
  xLabel?: string;
  /** Lowest and highest y to show at least. */
  range?: [number, number];
  logarithmic?: boolean;
}

const WIDTH = 320;
const HEIGHT = 110;

/** A line over time with its newest value in words. */
export function Chart({ title, points, unit = '', xLabel, range, logarithmic }: ChartProps) {
  const id = useId();
  const scaled = logarithmic ? points.filter((p) => p.y > 0) : points;
  if (scaled.length === 0) return null;
  const shape = (y: number): number => (logarithmic ? Math.log10(y) : y);
  const ys = scaled.map((p) => shape(p.y));
  let low = Math.min(...ys, range ? range[0] : Number.POSITIVE_INFINITY);
  let high = Math.max(...ys, range ? range[1] : Number.NEGATIVE_INFINITY);
  if (high - low < 1e-9) {
    low -= 0.5;
    high += 0.5;
  }
  const [first, last] = [scaled[0], scaled[scaled.length - 1]];
  const span = last.x - first.x || 1;
  const path = scaled
    .map((p, i) => {
      const x = ((p.x - first.x) / span) * WIDTH;
      const y = HEIGHT - 4 - ((shape(p.y) - low) / (high - low)) * (HEIGHT - 8);
      return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
  const values = scaled.map((p) => p.y);
  const words =
    `${title}: now ${figure(last.y)}${unit}, lowest ${figure(Math.min(...values))}, highest ` +
    `${figure(Math.max(...values))}`;
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption id={id}>
        <span>{title}</span>
        <strong>
          {figure(last.y)}
          {unit}
        </strong>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        <path className="grid" d={`M0 ${HEIGHT - 4}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 4H${WIDTH}`} />
        {scaled.length > 1 ? (
          <>
            <path className="area" d={`${path}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />
            <path className="line" d={path} />
          </>
        ) : (
          <path className="line" d={`M0 ${HEIGHT / 2}H${WIDTH}`} />
        )}
      </svg>
      <span className="scale quiet small">
        <span>
          {figure(Math.min(...values))} to {figure(Math.max(...values))}
          {unit}
        </span>
        {xLabel && <span>{xLabel}</span>}
      </span>
    </figure>
  );
}
