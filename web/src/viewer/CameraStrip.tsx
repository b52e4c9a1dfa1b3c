import { useEffect, useId, useRef } from 'react';
import { Icon } from '../ui/Icon.js';
import { ApiImage } from '../ui/parts.js';
import { Segments } from '../ui/Segments.js';
import type { Over } from './useOpening.js';
import type { StageView } from './views.js';

const MODES = [
  { value: 'slider', title: 'Slider' },
  { value: 'error', title: 'Error map' },
  { value: 'model', title: 'Model alone' },
] as const;

interface Props {
  views: StageView[];
  at: number | undefined;
  over: Over;
  /** The opening goes on: nothing is chosen yet. */
  busy: boolean;
  onChoose: (index: number | undefined) => void;
  onOver: (over: Over) => void;
}

/** The cameras of the capture as their pictures: choosing one stands there, with its picture over the model. */
export function CameraStrip({ views, at, over, busy, onChoose, onOver }: Props) {
  const name = useId();
  const strip = useRef<HTMLDivElement>(null);
  const view = at === undefined || busy ? undefined : views[at];
  const worst = views.reduce((found, v, i) => (v.psnr < views[found].psnr ? i : found), 0);
  useEffect(() => {
    if (at === undefined) return;
    // Only the strip scrolls, not the page.
    const chosen = strip.current?.querySelectorAll('label')[at + 1];
    if (chosen) strip.current!.scrollLeft = chosen.offsetLeft - strip.current!.clientWidth / 2 + 30;
  }, [at]);
  return (
    <div className="cameras">
      <fieldset>
        <legend className="hidden">Stand at a camera</legend>
        <div className="camera-strip" ref={strip}>
          <label className="free" title="All of it">
            <input type="radio" name={name} checked={view === undefined} onChange={() => onChoose(undefined)} />
            <Icon name="turntable" />
            <span className="hidden">All of it</span>
          </label>
          {views.map((v, i) => {
            const words = `${v.name}, ${v.psnr.toFixed(1)} dB${i === worst ? ', the worst' : ''}`;
            return (
              <label key={v.picture} className={i === worst ? 'worst' : undefined} title={words}>
                <input type="radio" name={name} checked={at === i && !busy} onChange={() => onChoose(i)} />
                <ApiImage path={v.thumbnail} alt="" />
                <span className="hidden">{words}</span>
              </label>
            );
          })}
        </div>
      </fieldset>
      {view && (
        <div className="row camera-tools">
          <Segments
            label="Way of comparing"
            choices={MODES}
            value={over.mode}
            onChange={(mode) => onOver({ ...over, mode })}
          />
          {over.mode === 'slider' && (
            <input
              type="range"
              min={0}
              max={100}
              value={over.edge}
              aria-label="Edge between picture and model"
              onChange={(e) => onOver({ ...over, edge: Number(e.target.value) })}
            />
          )}
          {over.mode === 'error' && (
            <span className="scale-of-error small">
              none <span className="ramp" /> a quarter of the range or more
            </span>
          )}
          <p className="quiet small grow">
            {view.name}: {view.facts}
          </p>
        </div>
      )}
    </div>
  );
}
