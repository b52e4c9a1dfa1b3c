import { useEffect, useRef, useState } from 'react';
import { fetchPath } from '../api.js';
import { bytes, count, figure } from '../format.js';
import { Bar } from '../ui/parts.js';
import { explain } from '../words.js';
import { CameraStrip } from './CameraStrip.js';
import { FlatMap } from './FlatMap.js';
import { PictureOver } from './PictureOver.js';
import { StageTools } from './StageTools.js';
import { FIRST_SETTINGS, type ModelFacts, Stage, type StageSettings, type Standpoint } from './stage.js';
import { useOpening } from './useOpening.js';
import type { Look, StageView } from './views.js';

export interface ViewerProps {
  /** Address of a GLB file at the API. */
  path: string;
  bytes: number;
  /** Address of the captured light, where the result has it. */
  light?: string;
  /** Pictures to stand at; the stage opens inside the one numbered `opening`. */
  views?: StageView[];
  opening?: number;
  /** Stands at this view. */
  look?: Look;
  /** Follows another viewer, and tells when it was moved itself. */
  standpoint?: Standpoint;
  onMove?: (standpoint: Standpoint) => void;
  /** What is shown, where several viewers show the same. */
  settings?: StageSettings;
  onSettings?: (settings: StageSettings) => void;
  /** Told of the stage while a model is on it. */
  onStage?: (stage: Stage | undefined) => void;
}

const NO_VIEWS: StageView[] = [];
/** Seconds of a flight from one camera to the next. */
const FLIGHT = 0.9;

export default function Viewer(props: ViewerProps) {
  const { path, bytes: size, light, views = NO_VIEWS, opening = 0, look, standpoint, onMove, onStage } = props;
  const frame = useRef<HTMLDivElement>(null);
  const holder = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage>(undefined);
  const [facts, setFacts] = useState<ModelFacts>();
  const [received, setReceived] = useState(0);
  const [error, setError] = useState<string>();
  const [own, setOwn] = useState(FIRST_SETTINGS);
  const [flat, setFlat] = useState(false);
  const settings = fitting(props.settings ?? own, facts);
  const set = (change: Partial<StageSettings>): void => (props.onSettings ?? setOwn)({ ...settings, ...change });
  const { at, act, over, setOver, choose, take, replay, loaded } = useOpening({
    views,
    opening,
    ready: facts !== undefined,
    stage,
    onTurn: (turntable) => set({ turntable }),
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: who is told may change without another model
  useEffect(() => {
    const gone = new AbortController();
    // A canvas whose context was given back cannot be used again, so each run has its own.
    const element = document.createElement('canvas');
    holder.current!.replaceChildren(element);
    let made: Stage;
    try {
      made = new Stage(element);
    } catch {
      setError('This browser has no WebGL 2, which the viewer needs. The previews and files below show the model too.');
      return;
    }
    stage.current = made;
    const load = async (): Promise<void> => {
      const [glb, hdr] = await Promise.all([
        fetchPath(path, gone.signal).then((response) => readAll(response, setReceived)),
        light === undefined ? undefined : fetchPath(light, gone.signal).then((response) => response.arrayBuffer()),
      ]);
      const found = await made.show(glb, gone.signal, hdr);
      setFacts(found);
      onStage?.(made);
    };
    load().catch((e) => {
      if (!gone.signal.aborted) setError(explain(e).message);
    });
    return () => {
      gone.abort();
      onStage?.(undefined);
      made.dispose();
      stage.current = undefined;
    };
  }, [path, light]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each value for itself, the object is new every time
  useEffect(() => {
    if (facts) stage.current?.apply(settings);
  }, [facts, settings.channel, settings.light, settings.lightTurn, settings.wireframe, settings.turntable]);
  useEffect(() => {
    if (standpoint && facts) stage.current?.follow(standpoint);
  }, [standpoint, facts]);
  useEffect(() => {
    if (!stage.current) return;
    stage.current.onMove = onMove;
    stage.current.onTaken = take;
  });
  useEffect(() => {
    const changed = (): void => stage.current?.takeOneFinger(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', changed);
    return () => document.removeEventListener('fullscreenchange', changed);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only who looks anew moves the camera
  useEffect(() => {
    const index = views.findIndex((v) => v.name === look?.name);
    if (index < 0) return;
    choose(index, reducedMotion() ? 0 : FLIGHT);
    frame.current?.scrollIntoView({ block: 'start' });
  }, [look]);

  const reset = (): void => {
    take();
    void stage.current?.leave(reducedMotion() ? 0 : FLIGHT);
  };
  const full = (): void =>
    void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen());
  const keys = new Map<string, () => void>([
    ['ArrowLeft', () => stage.current?.step(0.12, 0, 1)],
    ['ArrowRight', () => stage.current?.step(-0.12, 0, 1)],
    ['ArrowUp', () => stage.current?.step(0, 0.1, 1)],
    ['ArrowDown', () => stage.current?.step(0, -0.1, 1)],
    ['+', () => stage.current?.step(0, 0, 0.9)],
    ['-', () => stage.current?.step(0, 0, 1.1)],
    ['0', reset],
    ['w', () => set({ wireframe: !settings.wireframe })],
    ['t', () => set({ turntable: !settings.turntable })],
  ]);
  const view = at === undefined ? undefined : views[at];
  const map = flat ? stage.current?.flat(settings.channel) : undefined;
  return (
    <div className="viewer" ref={frame} data-ready={facts !== undefined} data-act={act}>
      <div
        className="canvas"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it turns with the arrow keys
        tabIndex={0}
        aria-label={
          `3D model${facts ? `, ${count(facts.triangles)} triangles` : ''}. Arrow keys turn it, plus and minus ` +
          'zoom, 0 shows all of it, W draws its wires, T turns it round.'
        }
        onKeyDown={(e) => {
          const key = keys.get(e.key);
          if (!key || e.ctrlKey || e.metaKey || e.altKey || e.target !== e.currentTarget) return;
          e.preventDefault();
          key();
        }}
      >
        <div ref={holder} className="holder" />
        {view && <PictureOver view={view} over={over} onOver={setOver} onLoaded={loaded} />}
        {map && <FlatMap map={map} title={settings.channel} />}
        {error ? (
          <p className="over">{error}</p>
        ) : (
          !facts && (
            <div className={view ? 'over below' : 'over'}>
              <div className="loading">
                <p>{received > 0 ? `${bytes(received)} of ${bytes(size)}` : 'Loading the model…'}</p>
                <Bar value={size > 0 ? received / size : 0} label="Loading the model" />
              </div>
            </div>
          )
        )}
        {facts && !view && (
          <p className="measures small">
            {count(facts.triangles)} triangles · {facts.size.map(figure).join(' × ')}
          </p>
        )}
        <p className="touch-hint small">Two fingers turn it</p>
      </div>
      {views.length > 0 && (
        <CameraStrip
          views={views}
          at={at}
          over={over}
          busy={act === 'opening'}
          onChoose={(index) => choose(index, reducedMotion() ? 0 : FLIGHT)}
          onOver={setOver}
        />
      )}
      <StageTools
        facts={facts}
        settings={settings}
        onSet={set}
        flat={flat}
        onFlat={stage.current?.flat(settings.channel) ? () => setFlat(!flat) : undefined}
        onReset={reset}
        onFull={document.fullscreenEnabled ? full : undefined}
        onReplay={views.length > 0 && facts ? replay : undefined}
      />
    </div>
  );
}

/** What a model can be shown as, of what is wanted: another viewer's may have more. */
const fitting = (wanted: StageSettings, facts: ModelFacts | undefined): StageSettings =>
  facts
    ? {
        ...wanted,
        channel: facts.channels.includes(wanted.channel) ? wanted.channel : 'finished',
        light: facts.lights.includes(wanted.light) ? wanted.light : facts.lights[0],
      }
    : wanted;

export const reducedMotion = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Reads a body, telling how much is there. */
async function readAll(response: Response, onProgress: (received: number) => void): Promise<ArrayBuffer> {
  if (!response.body) return await response.arrayBuffer();
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let received = 0;
  let told = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    if (received - told > 500_000) {
      told = received;
      onProgress(received);
    }
  }
  return await new Blob(parts as BlobPart[]).arrayBuffer();
}
