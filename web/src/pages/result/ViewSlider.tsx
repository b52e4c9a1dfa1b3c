import { type PointerEvent, useState } from 'react';
import { ApiImage } from '../../ui/parts.js';
import { Segments } from '../../ui/Segments.js';

interface Side {
  path: string;
  words: string;
}

interface Props {
  title: string;
  left: Side;
  right: Side;
  /** Heat map of the difference. */
  error?: string;
  facts?: string;
}

const MODES = [
  { value: 'slider', title: 'Slider' },
  { value: 'error', title: 'Error map' },
] as const;
type Mode = (typeof MODES)[number]['value'];

/** Two pictures of the same view, one over the other, with an edge that slides; or the map of their difference. */
export function ViewSlider({ title, left, right, error, facts }: Props) {
  const [edge, setEdge] = useState(50);
  const [mode, setMode] = useState<Mode>('slider');
  const drag = (e: PointerEvent<HTMLDivElement>): void => {
    if (mode !== 'slider' || e.buttons === 0) return;
    const box = e.currentTarget.getBoundingClientRect();
    setEdge(Math.round(Math.min(100, Math.max(0, ((e.clientX - box.left) / box.width) * 100))));
  };
  return (
    <div className="views">
      <div
        className={`slide ${mode}`}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          drag(e);
        }}
        onPointerMove={drag}
      >
        {mode === 'error' && error ? (
          <ApiImage path={error} alt={`Difference at ${title}: the brighter, the larger`} />
        ) : (
          <>
            <ApiImage path={left.path} alt={`${left.words} of ${title}`} />
            <div className="front" style={{ clipPath: `inset(0 0 0 ${edge}%)` }}>
              <ApiImage path={right.path} alt={`${right.words} of ${title}`} />
            </div>
            <div className="edge" style={{ left: `${edge}%` }} />
            <span className="tag left">{left.words}</span>
            <span className="tag right">{right.words}</span>
          </>
        )}
      </div>
      <div className="row slide-tools">
        {error && <Segments label="Way of comparing" choices={MODES} value={mode} onChange={setMode} />}
        {mode === 'slider' ? (
          <input
            type="range"
            className="grow"
            min={0}
            max={100}
            value={edge}
            aria-label={`Edge between ${left.words.toLowerCase()} and ${right.words.toLowerCase()}`}
            onChange={(e) => setEdge(Number(e.target.value))}
          />
        ) : (
          <span className="grow scale-of-error small">
            none <span className="ramp" /> a quarter of the range or more
          </span>
        )}
      </div>
      {facts && <p className="quiet small">{facts}</p>}
    </div>
  );
}
