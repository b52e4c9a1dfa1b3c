import { useEffect, useRef, useState } from 'react';
import { explain, fetchPath } from '../api.js';
import { bytes, count, figure } from '../format.js';
import {
  type Channel,
  LIGHTS,
  type Light,
  type ModelFacts,
  Stage,
  type StageCamera,
  type StageSettings,
  type Standpoint,
} from './stage.js';

export interface ViewerProps {
  /** Address of a GLB file at the API. */
  path: string;
  bytes: number;
  /** A camera to stand at. */
  camera?: StageCamera;
  /** Follows another viewer, and tells when it was moved itself. */
  standpoint?: Standpoint;
  onMove?: (standpoint: Standpoint) => void;
}

const CHANNEL_WORDS: Record<Channel, string> = {
  finished: 'Finished',
  lit: 'Lit anew',
  clay: 'Clay',
  baseColor: 'Base colour',
  roughness: 'Roughness',
  metallic: 'Metallic',
  normals: 'Normals',
  uv: 'UV',
};
const LIGHT_WORDS: Record<Light, string> = { studio: 'Studio', sun: 'Sun', even: 'Even' };

export default function Viewer({ path, bytes: size, camera, standpoint, onMove }: ViewerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<Stage>(undefined);
  const [facts, setFacts] = useState<ModelFacts>();
  const [received, setReceived] = useState(0);
  const [error, setError] = useState<string>();
  const [settings, setSettings] = useState<StageSettings>({
    channel: 'finished',
    light: 'studio',
    lightTurn: 0,
    wireframe: false,
    turntable: false,
  });

  useEffect(() => {
    const gone = new AbortController();
    // A canvas whose context was given back cannot be used again, so each run has its own.
    const element = document.createElement('canvas');
    canvas.current!.replaceWith(element);
    canvas.current = element;
    let made: Stage;
    try {
      made = new Stage(element);
    } catch {
      setError('This browser has no WebGL 2, which the viewer needs. The previews and files below show the model too.');
      return;
    }
    stage.current = made;
    const load = async (): Promise<void> => {
      const response = await fetchPath(path, gone.signal);
      const glb = await readAll(response, setReceived);
      setFacts(await made.show(glb, gone.signal));
    };
    load().catch((e) => {
      if (!gone.signal.aborted) setError(explain(e).message);
    });
    return () => {
      gone.abort();
      made.dispose();
      stage.current = undefined;
    };
  }, [path]);

  useEffect(() => {
    if (facts) stage.current?.apply(settings);
  }, [settings, facts]);
  useEffect(() => {
    if (camera && facts) stage.current?.stand(camera);
  }, [camera, facts]);
  useEffect(() => {
    if (standpoint && facts) stage.current?.follow(standpoint);
  }, [standpoint, facts]);
  useEffect(() => {
    if (stage.current) stage.current.onMove = onMove;
  });

  const set = (change: Partial<StageSettings>): void => setSettings((s) => ({ ...s, ...change }));
  const steps: Record<string, [number, number, number]> = {
    ArrowLeft: [0.12, 0, 1],
    ArrowRight: [-0.12, 0, 1],
    ArrowUp: [0, 0.1, 1],
    ArrowDown: [0, -0.1, 1],
    '+': [0, 0, 0.9],
    '-': [0, 0, 1.1],
  };
  return (
    <div className="viewer" ref={frame} data-ready={facts !== undefined}>
      <div
        className="canvas"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it turns with the arrow keys
        tabIndex={0}
        aria-label={`3D model${facts ? `, ${count(facts.triangles)} triangles` : ''}. Arrow keys turn it, plus and minus zoom.`}
        onKeyDown={(e) => {
          const step = steps[e.key];
          if (!step) return;
          e.preventDefault();
          stage.current?.step(...step);
        }}
      >
        <canvas ref={canvas} />
        {error ? (
          <p className="over">{error}</p>
        ) : (
          !facts && (
            <p className="over">{received > 0 ? `${bytes(received)} of ${bytes(size)}` : 'Loading the model…'}</p>
          )
        )}
      </div>
      <div className="tools row">
        <label>
          Show
          <select value={settings.channel} onChange={(e) => set({ channel: e.target.value as Channel })}>
            {(facts?.channels ?? ['finished']).map((c) => (
              <option key={c} value={c}>
                {CHANNEL_WORDS[c as Channel]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Light
          <select value={settings.light} onChange={(e) => set({ light: e.target.value as Light })}>
            {LIGHTS.map((l) => (
              <option key={l} value={l}>
                {LIGHT_WORDS[l]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Turn light
          <input
            type="range"
            min={0}
            max={360}
            step={5}
            value={Math.round((settings.lightTurn * 180) / Math.PI)}
            onChange={(e) => set({ lightTurn: (Number(e.target.value) * Math.PI) / 180 })}
          />
        </label>
        <button type="button" aria-pressed={settings.wireframe} onClick={() => set({ wireframe: !settings.wireframe })}>
          Wireframe
        </button>
        <button type="button" aria-pressed={settings.turntable} onClick={() => set({ turntable: !settings.turntable })}>
          Turntable
        </button>
        <button type="button" onClick={() => stage.current?.reset()}>
          Reset view
        </button>
        {document.fullscreenEnabled && (
          <button
            type="button"
            onClick={() =>
              void (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen())
            }
          >
            Full screen
          </button>
        )}
        {facts && (
          <span className="quiet small">
            {count(facts.triangles)} triangles · {count(facts.vertices)} vertices · {facts.size.map(figure).join(' × ')}
          </span>
        )}
      </div>
    </div>
  );
}

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
