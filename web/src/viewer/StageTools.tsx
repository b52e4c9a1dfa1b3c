import { Icon, type IconName } from '../ui/Icon.js';
import { Segments } from '../ui/Segments.js';
import type { Channel } from './materials.js';
import type { Light, ModelFacts, StageSettings } from './stage.js';

const CHANNEL_WORDS: Record<Channel, string> = {
  finished: 'Finished',
  clay: 'Clay',
  baseColor: 'Base colour',
  roughness: 'Roughness',
  metallic: 'Metallic',
  occlusion: 'Occlusion',
  relief: 'Relief',
  normals: 'Normals',
  uv: 'UV',
};
const LIGHT_WORDS: Record<Light, string> = {
  photographed: 'As photographed',
  studio: 'Studio',
  sun: 'Sun',
  even: 'Even',
};

interface Props {
  facts: ModelFacts | undefined;
  settings: StageSettings;
  onSet: (change: Partial<StageSettings>) => void;
  flat: boolean;
  /** Absent where the channel has no map. */
  onFlat?: () => void;
  onReset: () => void;
  onFull?: () => void;
  onReplay?: () => void;
}

/** What is done most lies open; light and channels wait behind "Look closer". */
export function StageTools({ facts, settings, onSet, flat, onFlat, onReset, onFull, onReplay }: Props) {
  const channels = facts?.channels ?? ['finished'];
  const lights = facts?.lights ?? ['photographed'];
  // Who turns or chooses a light wants to see it.
  const relight = (change: Partial<StageSettings>): void =>
    onSet({ channel: settings.channel === 'clay' ? 'clay' : 'finished', ...change });
  return (
    <div className="tools">
      <div className="row">
        <Tool
          icon={settings.turntable ? 'pause' : 'turntable'}
          title="Turntable"
          pressed={settings.turntable}
          onClick={() => onSet({ turntable: !settings.turntable })}
        />
        {onReplay && <Tool icon="play" title="From photograph to model" onClick={onReplay} />}
        <span className="grow" />
        <Tool icon="reset" title="Reset view" brief onClick={onReset} />
        {onFull && <Tool icon="expand" title="Full screen" brief onClick={onFull} />}
      </div>
      <details>
        <summary>Look closer</summary>
        <div className="closer">
          <Segments
            label="Show"
            choices={channels.map((value) => ({ value, title: CHANNEL_WORDS[value] }))}
            value={settings.channel}
            onChange={(channel) => onSet({ channel })}
          />
          <div className="row">
            <Tool
              icon="wireframe"
              title="Wireframe"
              pressed={settings.wireframe}
              onClick={() => onSet({ wireframe: !settings.wireframe })}
            />
            {onFlat && <Tool icon="picture" title="Texture, flat" pressed={flat} onClick={onFlat} />}
          </div>
          <Segments
            label="Light"
            choices={lights.map((value) => ({ value, title: LIGHT_WORDS[value] }))}
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
              onChange={(e) => {
                const lightTurn = (Number(e.target.value) * Math.PI) / 180;
                const fixed = facts?.baked && settings.light === 'photographed';
                relight(fixed ? { lightTurn, light: 'studio' } : { lightTurn });
              }}
            />
          </label>
        </div>
      </details>
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
