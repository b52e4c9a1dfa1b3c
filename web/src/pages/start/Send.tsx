import { useEffect, useState } from 'react';
import { type AssetFormat, api, type MethodFacts } from '../../api.js';
import { bytes, duration, percent, plural } from '../../format.js';
import { Icon } from '../../ui/Icon.js';
import { Bar, Notice, Problem } from '../../ui/parts.js';
import { type Choice, MethodChoice, toRuns } from './MethodChoice.js';
import type { Sending } from './sending.js';
import type { Source } from './source.js';
import { useSending } from './useSending.js';

/** Chooses how the model is made, sends the files, and goes on by itself after a lost connection. */
export function Send({ source, onReset }: { source: Source; onReset: () => void }) {
  const [methods, setMethods] = useState<MethodFacts[]>();
  const [formats, setFormats] = useState<AssetFormat[]>([]);
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [wanted, setWanted] = useState<AssetFormat[]>([]);
  const [name, setName] = useState('');
  const [invertMasks, setInvertMasks] = useState(false);
  const [unasked, setUnasked] = useState<unknown>();
  const [insist, setInsist] = useState(false);
  const { state, send, pause, abandon } = useSending();
  const drop = 'files' in source ? source : undefined;
  const title = 'example' in source ? source.title : source.facts.name;

  useEffect(() => {
    api.methods().then((answer) => {
      setMethods(answer.methods);
      setFormats(answer.formats);
      setWanted(answer.formats);
      setChoices({ [answer.methods[0].name]: { preset: 'standard', options: {} } });
    }, setUnasked);
  }, []);

  const start = (): void => {
    setUnasked(undefined);
    const what =
      'example' in source ? { example: source.example.name } : { files: source.files, bytes: source.facts.bytes };
    void send(what, {
      name: name.trim() || title,
      methods: toRuns(choices),
      formats: wanted,
      ...(invertMasks && { invertMasks }),
    });
  };

  const sending = state.phase === 'sending';
  const error = state.error ?? unasked;
  const chosen = methods?.filter((method) => choices[method.name]) ?? [];
  // Pictures that nothing is known of but themselves are enough where no chosen method needs cameras.
  const asTheyAre =
    drop?.facts.layout === 'pictures' && chosen.length > 0 && chosen.every((method) => method.withoutCameras);
  const complete = !drop || drop.facts.complete || asTheyAre || insist;
  const begun = state.upload !== undefined;
  return (
    <form
      className="send"
      onSubmit={(e) => {
        e.preventDefault();
        start();
      }}
    >
      <fieldset disabled={sending}>
        <legend className="hidden">How to make the model</legend>
        {methods && <MethodChoice methods={methods} choices={choices} onChange={setChoices} />}
        <details className="card more">
          <summary>Name and files to write</summary>
          <div className="row">
            <label className="field">
              Name
              <input value={name} maxLength={200} placeholder={title} onChange={(e) => setName(e.target.value)} />
            </label>
            <FormatChoice formats={formats} wanted={wanted} onChange={setWanted} />
            <label className="check">
              <input type="checkbox" checked={invertMasks} onChange={(e) => setInvertMasks(e.target.checked)} />
              Masks are the other way round (black on the object)
            </label>
          </div>
        </details>
      </fieldset>
      {error !== undefined && (
        <Problem error={error}>{begun && <p>What arrived is kept: sending goes on where it stopped.</p>}</Problem>
      )}
      {state.lost && (
        <Notice tone="fair" role="status">
          <p>
            <strong>The connection was lost.</strong> What arrived is kept. It is tried again until it works.
          </p>
        </Notice>
      )}
      <div className="actions">
        {sending ? (
          drop && (
            // A node of its own: were it to become the one that sends, the click that pauses would end in sending.
            <button key="pause" type="button" onClick={pause}>
              <Icon name="pause" />
              Pause
            </button>
          )
        ) : (
          <button
            key="send"
            type="submit"
            className="primary"
            disabled={!complete || !methods || wanted.length === 0 || Object.keys(choices).length === 0}
          >
            <Icon name={drop ? 'send' : 'play'} />
            {begun ? 'Resume sending' : drop ? `Send ${plural(drop.files.length, 'file')} and start` : 'Start'}
          </button>
        )}
        {!complete && (
          <button type="button" onClick={() => setInsist(true)}>
            Let the service decide
          </button>
        )}
        {sending && drop ? <Arrived state={state} /> : <span className="grow" />}
        <button
          type="button"
          className="plain"
          onClick={() => {
            abandon();
            onReset();
          }}
        >
          Start over
        </button>
      </div>
    </form>
  );
}

interface FormatChoiceProps {
  formats: AssetFormat[];
  wanted: AssetFormat[];
  onChange: (wanted: AssetFormat[]) => void;
}

function FormatChoice({ formats, wanted, onChange }: FormatChoiceProps) {
  return (
    <fieldset className="row">
      <legend>Files to write</legend>
      {formats.map((format) => (
        <label key={format} className="check">
          <input
            type="checkbox"
            checked={wanted.includes(format)}
            onChange={(e) => onChange(e.target.checked ? [...wanted, format] : wanted.filter((f) => f !== format))}
          />
          {format.toUpperCase()}
        </label>
      ))}
    </fieldset>
  );
}

/** How much of the files arrived, and how long the rest takes. */
function Arrived({ state }: { state: Sending }) {
  const share = state.bytes ? state.received / state.bytes : 1;
  return (
    <div className="grow" aria-live="polite">
      <Bar value={share} label="Upload" />
      <p className="quiet small">
        {bytes(state.received)} of {bytes(state.bytes)} sent, {percent(share)}
        {state.left !== undefined && state.left > 1 && ` · about ${duration(state.left)} left`}
      </p>
    </div>
  );
}
