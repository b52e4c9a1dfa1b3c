import { useEffect, useRef, useState } from 'react';
import { fetchPath } from '../api.js';
import { bytes, count, figure } from '../format.js';
import { Icon, type IconName } from '../ui/Icon.js';
import { Bar } from '../ui/parts.js';
import { Segments } from '../ui/Segments.js';
import { explain } from '../words.js';
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
  const holder = useRef<HTMLDivElement>(null);
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
  /** A baked model shows no light of ours: who moves the light wants to see it lit. */
  const relight = (change: Partial<StageSettings>): void => {
    const baked = facts?.channels.includes('lit') ?? false;
    const lit =
      settings.channel === 'clay' || settings.channel === 'lit' || (settings.channel === 'finished' && !baked);
    set({ ...change, channel: lit ? settings.channel : baked ? 'lit' : 'finished' });
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
    ['0', () => stage.current?.reset()],
    ['w', () => set({ wireframe: !settings.wireframe })],
    ['t', () => set({ turntable: !settings.turntable })],
  ]);
  const channels = (facts?.channels ?? ['finished']).map((c) => ({ value: c, title: CHANNEL_WORDS[c] }));
  return (
    <div className="viewer" ref={frame} data-ready={facts !== undefined}>
      <div className="channels">
        <Segments label="Show" choices={channels} value={settings.channel} onChange={(channel) => set({ channel })} />
      </div>
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
          const act = keys.get(e.key);
          if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
          e.preventDefault();
          act();
        }}
      >
        <div ref={holder} className="holder" />
        {error ? (
          <p className="over">{error}</p>
        ) : (
          !facts && (
            <div className="over">
              <div className="loading">
                <p>{received > 0 ? `${bytes(received)} of ${bytes(size)}` : 'Loading the model…'}</p>
                <Bar value={size > 0 ? received / size : 0} label="Loading the model" />
              </div>
            </div>
          )
        )}
        {facts && (
          <p className="measures small">
            {count(facts.triangles)} triangles · {facts.size.map(figure).join(' × ')}
          </p>
        )}
      </div>
      <div className="tools">
        <Segments
          label="Light"
          choices={LIGHTS.map((value) => ({ value, title: LIGHT_WORDS[value] }))}
          value={settings.light}
          onChange={(light) => relight({ light })}
        />
        <label className="turn">
          Turn light
          <input
            type="range"
            min={0}
            max={360}
            step={5}
            value={Math.round((settings.lightTurn * 180) / Math.PI)}
            onChange={(e) => relight({ lightTurn: (Number(e.target.value) * Math.PI) / 180 })}
          />
        </label>
        <span className="grow" />
        <Tool
          icon="wireframe"
          title="Wireframe"
          pressed={settings.wireframe}
          onClick={() => set({ wireframe: !settings.wireframe })}
        />
        <Tool
          icon="turntable"
          title="Turntable"
          pressed={settings.turntable}
          onClick={() => set({ turntable: !settings.turntable })}
        />
        <Tool icon="reset" title="Reset view" brief onClick={() => stage.current?.reset()} />
        {document.fullscreenEnabled && <Tool icon="expand" title="Full screen" brief onClick={full} />}
      </div>
    </div>
  );
}

interface ToolProps {
  icon: IconName;
  title: string;
  /** Of one that is on or off. */
  pressed?: boolean;
  /** Its picture says enough. */
  brief?: boolean;
  onClick: () => void;
}

const Tool = ({ icon, title, pressed, brief, onClick }: ToolProps) => (
  <button
    type="button"
    className={`tool ${brief ? 'brief' : ''}`}
    aria-pressed={pressed}
    title={title}
    onClick={onClick}
  >
    <Icon name={icon} />
    <span>{title}</span>
  </button>
);

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
