import { type CSSProperties, type PointerEvent, useRef } from 'react';
import { ApiImage } from '../ui/parts.js';
import type { Over } from './useOpening.js';
import type { StageView } from './views.js';

interface Props {
  view: StageView;
  over: Over;
  onOver: (over: Over) => void;
  onLoaded: () => void;
}

/** The photograph, or the map of the differences, exactly where the model lies under it. */
export function PictureOver({ view, over, onOver, onLoaded }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = view.camera;
  const drag = (e: PointerEvent): void => {
    if (e.buttons === 0) return;
    const { left, width: wide } = box.current!.getBoundingClientRect();
    onOver({ ...over, edge: Math.round(Math.min(100, Math.max(0, ((e.clientX - left) / wide) * 100))) });
  };
  return (
    <div ref={box} className={`picture-over ${over.mode}`} style={{ '--ratio': width / height } as CSSProperties}>
      {over.mode === 'error' && (
        <ApiImage path={view.error} alt={`Difference at ${view.name}: the brighter, the larger`} />
      )}
      <div className="photograph" style={{ clipPath: `inset(0 ${100 - over.edge}% 0 0)` }}>
        <ApiImage path={view.picture} alt={`Picture of ${view.name}`} eager onSettled={onLoaded} />
      </div>
      {over.mode === 'slider' && over.edge < 100 && (
        <>
          <div
            className="edge"
            style={{ left: `${over.edge}%` }}
            onPointerDown={(e) => {
              e.stopPropagation();
              e.currentTarget.setPointerCapture(e.pointerId);
            }}
            onPointerMove={drag}
          />
          <span className="tag left">Photograph</span>
          <span className="tag right">Model</span>
        </>
      )}
    </div>
  );
}
