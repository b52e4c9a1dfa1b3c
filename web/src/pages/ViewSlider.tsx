import { useState } from 'react';
import { ApiImage } from '../ui/parts.js';

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

/** Two pictures of the same view, one over the other, with an edge that slides; or the map of their difference. */
export function ViewSlider({ title, left, right, error, facts }: Props) {
  const [edge, setEdge] = useState(50);
  const [heat, setHeat] = useState(false);
  return (
    <div className="views">
      <div className="slide">
        {heat && error ? (
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
      <div className="row">
        <label className="row grow">
          {left.words}
          <input
            type="range"
            className="grow"
            min={0}
            max={100}
            value={edge}
            disabled={heat}
            aria-label={`Edge between ${left.words.toLowerCase()} and ${right.words.toLowerCase()}`}
            onChange={(e) => setEdge(Number(e.target.value))}
          />
          {right.words}
        </label>
        {error && (
          <button type="button" aria-pressed={heat} onClick={() => setHeat(!heat)}>
            Error map
          </button>
        )}
      </div>
      {facts && <p className="quiet">{facts}</p>}
    </div>
  );
}
