import { useEffect, useRef, useState } from 'react';
import { ApiError, type AssetFormat, api, type JobRequest, type MethodFacts, type NamedFile } from '../../api.js';
import { bytes, duration, percent, plural } from '../../format.js';
import { go } from '../../route.js';
import { Icon } from '../../ui/Icon.js';
import { Bar, Notice, Problem } from '../../ui/parts.js';
import { begunUpload, rememberUpload, signature } from './interruptedUpload.js';
import { type Choice, MethodChoice, toRuns } from './MethodChoice.js';
import type { Source } from './Start.js';

/** Bytes of one request: small enough that little is sent twice after an interruption. */
const PART = 2 * 2 ** 20;
/** Pauses before trying again after a lost connection, seconds. */
const PAUSES = [1, 2, 4, 8, 15];

interface Sent {
  received: number;
  bytes: number;
  /** Seconds that the rest takes at the pace so far. */
  left?: number;
  /** The connection is lost; it is tried again by itself. */
  lost?: boolean;
}

const isLost = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof ApiError && error.status >= 502);

/** Chooses how the model is made, sends the files, and goes on by itself after a lost connection. */
export function Send({ source, onReset }: { source: Source; onReset: () => void }) {
  const [methods, setMethods] = useState<MethodFacts[]>();
  const [formats, setFormats] = useState<AssetFormat[]>([]);
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [wanted, setWanted] = useState<AssetFormat[]>([]);
  const [name, setName] = useState('');
  const [sent, setSent] = useState<Sent>();
  const [error, setError] = useState<unknown>();
  const [insist, setInsist] = useState(false);
  const stop = useRef<AbortController>(undefined);
  const upload = useRef<string>(undefined);
  const drop = 'files' in source ? source : undefined;
  const example = 'example' in source ? source.example.name : undefined;
  const title = 'example' in source ? source.title : source.facts.name;

  useEffect(() => {
    api.methods().then((answer) => {
      setMethods(answer.methods);
      setFormats(answer.formats);
      setWanted(answer.formats);
      setChoices({ [answer.methods[0].name]: { preset: 'standard', options: {} } });
    }, setError);
    return () => stop.current?.abort();
  }, []);

  const resumable = async (files: NamedFile[]): Promise<string | undefined> => {
    if (upload.current) return upload.current;
    const begun = begunUpload();
    if (begun?.files !== signature(files)) return undefined;
    return await api.getUpload(begun.id).then(
      () => begun.id,
      () => undefined,
    );
  };

  /** Sends all files; lost connections only make it longer. */
  const sendFiles = async (files: NamedFile[], called: string, signal: AbortSignal): Promise<string> => {
    for (let tries = 0; ; ) {
      let first: { at: number; received: number } | undefined;
      try {
        const done = await api.upload(files, {
          name: called,
          resume: await resumable(files),
          partBytes: PART,
          signal,
          onProgress({ id, received, bytes: all }) {
            upload.current = id;
            rememberUpload({ id, name: called, files: signature(files) });
            first ??= { at: Date.now(), received };
            if (received > first.received) tries = 0;
            const pace = (received - first.received) / (Date.now() - first.at + 1);
            setSent({ received, bytes: all, left: pace > 0 ? (all - received) / pace / 1000 : undefined });
          },
        });
        return done.id;
      } catch (e) {
        if (signal.aborted || !isLost(e)) throw e;
        setSent((s) => ({ received: s?.received ?? 0, bytes: s?.bytes ?? 0, lost: true }));
        const pause = PAUSES[Math.min(tries++, PAUSES.length - 1)] * 1000;
        await new Promise<void>((resolve) => {
          setTimeout(resolve, pause);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        signal.throwIfAborted();
      }
    }
  };

  const send = async (): Promise<void> => {
    setError(undefined);
    const stopping = new AbortController();
    stop.current = stopping;
    const { signal } = stopping;
    const request: JobRequest = {
      name: name.trim() || title,
      methods: toRuns(choices),
      formats: wanted,
    };
    try {
      if (!drop) {
        setSent({ received: 1, bytes: 1 });
        go('jobs', (await api.submitStored({ example: example! }, request)).id);
        return;
      }
      setSent({ received: 0, bytes: drop.facts.bytes });
      const id = await sendFiles(drop.files, request.name ?? title, signal);
      const job = await api.submitStored({ upload: id }, request, id);
      rememberUpload(undefined);
      go('jobs', job.id);
    } catch (e) {
      setSent(undefined);
      if (signal.aborted) return;
      // What the service refused as a capture is no better for being sent again.
      if (e instanceof ApiError && e.status < 500) {
        upload.current = undefined;
        rememberUpload(undefined);
      }
      setError(e);
    }
  };

  const complete = !drop || drop.facts.complete || insist;
  const begun = upload.current !== undefined;
  return (
    <form
      className="send"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <fieldset disabled={sent !== undefined}>
        <legend className="hidden">How to make the model</legend>
        {methods && <MethodChoice methods={methods} choices={choices} onChange={setChoices} />}
        <details className="card more">
          <summary>Name and files to write</summary>
          <div className="row">
            <label className="field">
              Name
              <input value={name} maxLength={200} placeholder={title} onChange={(e) => setName(e.target.value)} />
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
          </div>
        </details>
      </fieldset>
      {error !== undefined && (
        <Problem error={error}>{begun && <p>What arrived is kept: sending goes on where it stopped.</p>}</Problem>
      )}
      {sent?.lost && (
        <Notice tone="fair" role="status">
          <p>
            <strong>The connection was lost.</strong> What arrived is kept. It is tried again until it works.
          </p>
        </Notice>
      )}
      <div className="actions">
        {sent ? (
          drop && (
            // A node of its own: were it to become the one that sends, the click that pauses would end in sending.
            <button key="pause" type="button" onClick={() => stop.current?.abort()}>
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
        {sent && drop ? (
          <div className="grow" aria-live="polite">
            <Bar value={sent.bytes ? sent.received / sent.bytes : 1} label="Upload" />
            <p className="quiet small">
              {bytes(sent.received)} of {bytes(sent.bytes)} sent, {percent(sent.bytes ? sent.received / sent.bytes : 1)}
              {sent.left !== undefined && sent.left > 1 && ` · about ${duration(sent.left)} left`}
            </p>
          </div>
        ) : (
          <span className="grow" />
        )}
        <button
          type="button"
          className="plain"
          onClick={() => {
            stop.current?.abort();
            if (upload.current) {
              void api.abandonUpload(upload.current).catch(() => {});
              rememberUpload(undefined);
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
