import { useEffect, useRef, useState } from 'react';
import {
  ApiError,
  type AssetFormat,
  api,
  type JobRequest,
  type MethodFacts,
  type NamedFile,
  type Preset,
} from '../api.js';
import { Frusta } from '../capture/Frusta.js';
import { gatherDrop, gatherInput } from '../capture/gather.js';
import type { Entry } from '../capture/readZip.js';
import { type Understanding, understand } from '../capture/understand.js';
import { bytes, plural } from '../format.js';
import { go } from '../route.js';
import { remembered } from '../store.js';
import { Bar, Problem } from '../ui/parts.js';
import { type Choice, MethodChoice, toRuns } from './MethodChoice.js';

interface Source {
  files: NamedFile[];
  facts: Understanding;
}

/** Drop, see what was understood, choose, send. */
export function Start({ onBusy }: { onBusy: (busy: boolean) => void }) {
  const [source, setSource] = useState<Source>();
  const [example, setExample] = useState<string>();
  const [reading, setReading] = useState(false);
  const [over, setOver] = useState(false);
  const [error, setError] = useState<unknown>();
  const [examples, setExamples] = useState<{ name: string; files: number; bytes: number }[]>([]);

  useEffect(() => {
    api.examples().then(setExamples, () => {});
  }, []);
  useEffect(() => onBusy(source !== undefined || example !== undefined), [source, example, onBusy]);

  const take = async (gathering: Promise<NamedFile[]>): Promise<void> => {
    setReading(true);
    setError(undefined);
    try {
      const files = await gathering;
      setExample(undefined);
      setSource({ files, facts: await understand(files) });
    } catch (e) {
      setError(e);
    } finally {
      setReading(false);
    }
  };
  const reset = (): void => {
    setSource(undefined);
    setExample(undefined);
  };

  if (source || example) {
    return (
      <section className="card" aria-label="New model">
        {source ? (
          <Understood source={source} />
        ) : (
          <p>
            The bundled example <strong>{example}</strong> is already on the service: nothing needs to be sent.
          </p>
        )}
        <Send source={source} example={example} onReset={reset} />
      </section>
    );
  }
  return (
    <section aria-label="New model">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is the shortcut, the buttons inside do the same */}
      <div
        className={`drop ${over ? 'over' : ''}`}
        onDragOver={(e) => {
          e.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          e.preventDefault();
          setOver(false);
          void take(gatherDrop(e.dataTransfer));
        }}
      >
        <p className="big">{reading ? 'Looking at the files…' : 'Drop a folder, a zip or pictures'}</p>
        <p className="quiet">
          Pictures with their cameras (transforms.json or COLMAP), or six views of a generated object. Nothing is sent
          before you have seen what was understood.
        </p>
        <div className="row centre">
          <Picker label="Choose a folder" folder onFiles={(f) => void take(Promise.resolve(f))} />
          <Picker label="Choose files" onFiles={(f) => void take(Promise.resolve(f))} />
        </div>
        {examples.length > 0 && (
          <div className="row centre examples">
            <span className="quiet">or try an example:</span>
            {examples.map((e) => (
              <button type="button" key={e.name} onClick={() => setExample(e.name)}>
                {e.name} <span className="quiet small">{bytes(e.bytes)}</span>
              </button>
            ))}
          </div>
        )}
      </div>
      {error !== undefined && <Problem error={error} />}
    </section>
  );
}

function Picker({
  label,
  folder,
  onFiles,
}: {
  label: string;
  folder?: boolean;
  onFiles: (files: NamedFile[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className={folder ? 'primary' : ''} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        data-picker={folder ? 'folder' : 'files'}
        {...(folder ? { webkitdirectory: '' } : {})}
        onChange={(e) => {
          if (e.target.files && e.target.files.length > 0) onFiles(gatherInput(e.target.files));
          e.target.value = '';
        }}
      />
    </>
  );
}

const MASKS = { files: 'in files of their own', transparency: 'from transparency', none: 'none' };
const CAMERAS = { given: 'given', assumed: 'assumed from the six sides', missing: 'missing' };

function Understood({ source: { facts } }: { source: Source }) {
  const { views } = facts;
  const depth = views.filter((v) => v.depth).length;
  const tests = views.filter((v) => v.test).length;
  return (
    <div className="understood">
      <div>
        <h2>{facts.title}</h2>
        <dl className="facts">
          <dt>Views</dt>
          <dd>
            {views.length}
            {tests > 0 && `, ${tests} of them for testing only`}
          </dd>
          <dt>Masks</dt>
          <dd>{MASKS[facts.masks]}</dd>
          <dt>Depth</dt>
          <dd>
            {depth === 0 ? 'none' : depth === views.length ? 'for every view' : `for ${depth} of ${views.length}`}
          </dd>
          <dt>Cameras</dt>
          <dd>{CAMERAS[facts.cameras]}</dd>
          <dt>To send</dt>
          <dd>{bytes(facts.bytes)}</dd>
        </dl>
        {facts.findings.map((f) => (
          <div
            key={f.message}
            className={`notice ${f.severity === 'missing' ? 'bad' : 'hint'}`}
            role={f.severity === 'missing' ? 'alert' : 'note'}
          >
            <p>
              <strong>{f.severity === 'missing' ? 'Missing: ' : ''}</strong>
              {f.message}
            </p>
            {f.remedy && <p>{f.remedy}</p>}
          </div>
        ))}
      </div>
      {views.some((v) => v.camera) && <Frusta views={views} assumed={facts.cameras === 'assumed'} />}
      <ul className="strip" aria-label="Pictures">
        {views.slice(0, 24).map((v) => (
          <li key={`${v.name} ${v.test}`}>
            <Thumb entry={v.picture} name={v.name} />
          </li>
        ))}
        {views.length > 24 && <li className="quiet">and {views.length - 24} more</li>}
      </ul>
    </div>
  );
}

function Thumb({ entry, name }: { entry?: Entry; name: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    let gone = false;
    let made: string | undefined;
    entry
      ?.blob()
      .then((blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch(() => {});
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [entry]);
  if (!entry) return <span className="blank lost">not there</span>;
  return url ? <img src={url} alt={name} decoding="async" /> : <span className="blank" />;
}

/** An interrupted upload, remembered so that dropping the same files again goes on where it stopped. */
interface Begun {
  id: string;
  files: string;
}
const signature = (files: NamedFile[]): string => files.map((f) => `${f.name}:${f.data.size}`).join('|');

function Send({ source, example, onReset }: { source?: Source; example?: string; onReset: () => void }) {
  const [methods, setMethods] = useState<MethodFacts[]>();
  const [formats, setFormats] = useState<AssetFormat[]>([]);
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [wanted, setWanted] = useState<AssetFormat[]>([]);
  const [name, setName] = useState('');
  const [sent, setSent] = useState<{ received: number; bytes: number }>();
  const [error, setError] = useState<unknown>();
  const [insist, setInsist] = useState(false);
  const stop = useRef<AbortController>(undefined);
  const upload = useRef<string>(undefined);

  useEffect(() => {
    api.methods().then((answer) => {
      setMethods(answer.methods);
      setFormats(answer.formats);
      setWanted(answer.formats);
      setChoices({ [answer.methods[0].name]: { preset: 'standard' as Preset, options: {} } });
    }, setError);
    return () => stop.current?.abort();
  }, []);

  const resumable = async (files: NamedFile[]): Promise<string | undefined> => {
    if (upload.current) return upload.current;
    const begun = remembered.get('upload');
    if (!begun) return undefined;
    const { id, files: earlier } = JSON.parse(begun) as Begun;
    if (earlier !== signature(files)) return undefined;
    return await api.getUpload(id).then(
      () => id,
      () => undefined,
    );
  };

  const send = async (): Promise<void> => {
    setError(undefined);
    stop.current = new AbortController();
    const request: JobRequest = {
      name: name.trim() || source?.facts.name || example,
      methods: toRuns(choices),
      formats: wanted,
    };
    try {
      if (example) {
        setSent({ received: 1, bytes: 1 });
        go('jobs', (await api.submitStored({ example }, request)).id);
        return;
      }
      const { files } = source!;
      setSent({ received: 0, bytes: source!.facts.bytes });
      const done = await api.upload(files, {
        name: request.name,
        resume: await resumable(files),
        partBytes: 2 * 2 ** 20,
        signal: stop.current.signal,
        onProgress(state) {
          upload.current = state.id;
          remembered.set('upload', JSON.stringify({ id: state.id, files: signature(files) } satisfies Begun));
          setSent({ received: state.received, bytes: state.bytes });
        },
      });
      const job = await api.submitStored({ upload: done.id }, request, done.id);
      remembered.set('upload', undefined);
      go('jobs', job.id);
    } catch (e) {
      setSent(undefined);
      if (stop.current.signal.aborted) return;
      // What the service refused as a capture is no better for being sent again.
      if (e instanceof ApiError && e.status < 500) {
        upload.current = undefined;
        remembered.set('upload', undefined);
      }
      setError(e);
    }
  };

  const complete = example !== undefined || source?.facts.complete || insist;
  const begun = upload.current !== undefined;
  return (
    <form
      className="send"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <fieldset disabled={sent !== undefined} className="bare">
        <legend className="hidden">How to make the model</legend>
        {methods && <MethodChoice methods={methods} choices={choices} onChange={setChoices} />}
        <details>
          <summary>Name and files</summary>
          <label className="field">
            Name
            <input
              value={name}
              maxLength={200}
              placeholder={source?.facts.name ?? example}
              onChange={(e) => setName(e.target.value)}
            />
          </label>
          <fieldset className="row">
            <legend>Files to write</legend>
            {formats.map((format) => (
              <label key={format} className="check">
                <input
                  type="checkbox"
                  checked={wanted.includes(format)}
                  onChange={(e) =>
                    setWanted(e.target.checked ? [...wanted, format] : wanted.filter((f) => f !== format))
                  }
                />
                {format.toUpperCase()}
              </label>
            ))}
          </fieldset>
        </details>
      </fieldset>
      {sent && source && (
        <div aria-live="polite">
          <Bar value={sent.bytes ? sent.received / sent.bytes : 1} label="Upload" />
          <p className="quiet small">
            {bytes(sent.received)} of {bytes(sent.bytes)} sent
          </p>
        </div>
      )}
      {error !== undefined && (
        <Problem error={error}>{begun && <p>What arrived is kept: sending goes on where it stopped.</p>}</Problem>
      )}
      <div className="row">
        {sent ? (
          <button type="button" onClick={() => stop.current?.abort()}>
            Pause
          </button>
        ) : (
          <button
            type="submit"
            className="primary"
            disabled={!complete || !methods || wanted.length === 0 || Object.keys(choices).length === 0}
          >
            {begun ? 'Resume sending' : source ? `Send ${plural(source.files.length, 'file')} and start` : 'Start'}
          </button>
        )}
        {!complete && (
          <button type="button" onClick={() => setInsist(true)}>
            Let the service decide
          </button>
        )}
        <button
          type="button"
          className="plain"
          onClick={() => {
            stop.current?.abort();
            if (upload.current) {
              void api.abandonUpload(upload.current).catch(() => {});
              remembered.set('upload', undefined);
            }
            onReset();
          }}
        >
          Start over
        </button>
      </div>
    </form>
  );
}
