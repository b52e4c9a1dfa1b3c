import { useEffect, useRef, useState } from 'react';
import { api, type Example, type NamedFile, type Upload } from '../../api.js';
import { gatherDrop, gatherInput } from '../../capture/gather.js';
import { understand } from '../../capture/understand.js';
import { bytes, percent, plural } from '../../format.js';
import { go } from '../../route.js';
import { Icon } from '../../ui/Icon.js';
import { ApiImage, Notice, Problem } from '../../ui/parts.js';
import { begunUpload, rememberUpload } from './interruptedUpload.js';
import { Send } from './Send.js';
import type { Source } from './source.js';
import { Understood } from './Understood.js';

/** Drop, see what was understood, choose, send. */
export function Start({ onBusy }: { onBusy: (busy: boolean) => void }) {
  const [source, setSource] = useState<Source>();
  const [reading, setReading] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => onBusy(source !== undefined), [source, onBusy]);
  const taking = useRef<(gathering: Promise<NamedFile[]>) => void>(undefined);
  useEffect(() => {
    // Wherever on the page files are let go; without this the browser would open them and leave.
    const over = (e: DragEvent): void => {
      if (e.dataTransfer?.types.includes('Files')) e.preventDefault();
    };
    const drop = (e: DragEvent): void => {
      if (!e.dataTransfer?.types.includes('Files') || e.defaultPrevented) return;
      e.preventDefault();
      taking.current?.(gatherDrop(e.dataTransfer));
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, []);

  const take = async (gathering: Promise<NamedFile[]>): Promise<void> => {
    setReading(true);
    setError(undefined);
    try {
      const files = await gathering;
      setSource({ files, facts: await understand(files) });
    } catch (e) {
      setError(e);
    } finally {
      setReading(false);
    }
  };

  // What is chosen already, and may be on its way, is not thrown away by a drop.
  taking.current = source ? undefined : (gathering) => void take(gathering);

  if (source) {
    return (
      <section aria-label="New model">
        {'example' in source ? <ChosenExample example={source.example} /> : <Understood facts={source.facts} />}
        <Send source={source} onReset={() => setSource(undefined)} />
      </section>
    );
  }
  return (
    <section aria-label="New model">
      <Interrupted />
      <div className="start">
        <Drop reading={reading} onFiles={(gathering) => void take(gathering)} />
        <Examples onChoose={(example) => setSource({ example, title: wordsOf(example).title })} onError={setError} />
      </div>
      {error !== undefined && <Problem error={error} />}
    </section>
  );
}

function Drop({ reading, onFiles }: { reading: boolean; onFiles: (gathering: Promise<NamedFile[]>) => void }) {
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is the shortcut, the buttons inside do the same
    <div
      className={`drop ${over ? 'over' : ''}`}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        onFiles(gatherDrop(e.dataTransfer));
      }}
    >
      <svg className="pile" viewBox="0 0 120 84" aria-hidden="true">
        <rect x="14" y="22" width="44" height="34" rx="4" transform="rotate(-12 36 39)" />
        <rect x="62" y="22" width="44" height="34" rx="4" transform="rotate(12 84 39)" />
        <rect x="38" y="12" width="44" height="34" rx="4" className="front" />
        <path d="M43 40l9-11 8 9 5-5 12 9" />
        <circle cx="70" cy="22" r="3.5" />
        <path d="M22 70h76v8H22z" className="base" />
      </svg>
      <p className="big" aria-live="polite">
        {reading ? 'Looking at the files…' : 'Drop a folder, a zip or pictures'}
      </p>
      <p className="quiet">You see what was understood before anything is sent.</p>
      <div className="row centre">
        <Picker label="Choose a folder" folder onFiles={(f) => onFiles(Promise.resolve(f))} />
        <Picker label="Choose files" onFiles={(f) => onFiles(Promise.resolve(f))} />
      </div>
      <ul className="kinds small">
        <li>
          <strong>Posed photos</strong>
          <span className="quiet">transforms.json of NeRF, instant-ngp or nerfstudio</span>
        </li>
        <li>
          <strong>COLMAP</strong>
          <span className="quiet">the folder with sparse/ and images/</span>
        </li>
        <li>
          <strong>Six views</strong>
          <span className="quiet">front, back, left, right, top, bottom, as generators make them</span>
        </li>
      </ul>
    </div>
  );
}

/** Pictures first; and what else a capture may hold: zips, cameras, depth. */
const ACCEPTED = 'image/*,video/*,.heic,.heif,.zip,.json,.txt,.bin,.npy,.npz,.exr,.xml,.csv,.out,.yaml,.yml';

interface PickerProps {
  label: string;
  folder?: boolean;
  onFiles: (files: NamedFile[]) => void;
}

function Picker({ label, folder, onFiles }: PickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className={folder ? 'primary' : ''} onClick={() => input.current?.click()}>
        <Icon name={folder ? 'folder' : 'files'} />
        {label}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        data-picker={folder ? 'folder' : 'files'}
        // Phones offer the camera and the photos for it; a page of files offers all of them still.
        {...(folder ? { webkitdirectory: '' } : { accept: ACCEPTED })}
        onChange={(e) => {
          if (e.target.files && e.target.files.length > 0) onFiles(gatherInput(e.target.files));
          e.target.value = '';
        }}
      />
    </>
  );
}

/** Words for the examples that come with Plinth; others are shown by their name. */
const EXAMPLE_WORDS: Record<string, { title: string; text: string }> = {
  'vase-six': { title: 'Vase', text: 'Six views with metric depth' },
  'suzanne-generated': { title: 'Suzanne, generated', text: 'Six views and relative depth, as a generator makes them' },
  'suzanne-views': { title: 'Suzanne, photographed', text: '48 posed views, 12 more to test with' },
};
const wordsOf = ({ name }: Example): { title: string; text: string } =>
  EXAMPLE_WORDS[name] ?? { title: name, text: '' };

interface ExamplesProps {
  onChoose: (example: Example) => void;
  onError: (error: unknown) => void;
}

/** One click makes a model of an example; who wants to choose first may. */
function Examples({ onChoose, onError }: ExamplesProps) {
  const [examples, setExamples] = useState<Example[]>([]);
  const [begun, setBegun] = useState<string>();
  useEffect(() => {
    // The quickest first.
    const rank = (e: Example): number => (e.name === 'vase-six' ? 0 : 1);
    api.examples().then(
      (all) => setExamples(all.sort((a, b) => rank(a) - rank(b))),
      () => {},
    );
  }, []);
  const begin = async (example: Example): Promise<void> => {
    setBegun(example.name);
    try {
      const request = { name: wordsOf(example).title };
      go('jobs', (await api.submitStored({ example: example.name }, request)).id);
    } catch (e) {
      onError(e);
      setBegun(undefined);
    }
  };
  if (examples.length === 0) return null;
  return (
    <div className="card examples">
      <h2>No pictures at hand? Try an example</h2>
      <ul>
        {examples.map((e) => {
          const { title, text } = wordsOf(e);
          return (
            <li key={e.name}>
              <ApiImage path={`${e.picture}?width=240`} alt="" className="thumb" />
              <div className="grow">
                <strong>{title}</strong>
                <p className="quiet small">
                  {text && `${text} · `}
                  {plural(e.files, 'file')}, {bytes(e.bytes)}
                </p>
                <div className="row">
                  <button type="button" disabled={begun !== undefined} onClick={() => void begin(e)}>
                    <Icon name="play" />
                    {begun === e.name ? 'Starting…' : 'Make it'}
                    <span className="hidden"> {title}</span>
                  </button>
                  <button type="button" className="plain" onClick={() => onChoose(e)}>
                    Options
                    <span className="hidden"> for {title}</span>
                  </button>
                </div>
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function ChosenExample({ example }: { example: Example }) {
  const { title, text } = wordsOf(example);
  return (
    <div className="card chosen-example">
      <ApiImage path={`${example.picture}?width=240`} alt="" className="thumb" />
      <div>
        <h2>{title}</h2>
        <p className="quiet">
          {text && `${text}. `}
          {plural(example.files, 'file')}, {bytes(example.bytes)}, already on the service: nothing needs to be sent.
        </p>
      </div>
    </div>
  );
}

/** Tells of an upload that was left half done. */
function Interrupted() {
  const [upload, setUpload] = useState<Upload>();
  useEffect(() => {
    const begun = begunUpload();
    if (!begun) return;
    let gone = false;
    api.getUpload(begun.id).then(
      (found) => {
        if (!gone) setUpload(found);
      },
      () => {},
    );
    return () => {
      gone = true;
    };
  }, []);
  if (!upload) return null;
  return (
    <Notice tone="hint">
      <p>
        <strong>
          Sending “{upload.name}” stopped at {percent(upload.bytes ? upload.received / upload.bytes : 0)}.
        </strong>{' '}
        Choose the same files again, and it goes on from there.
      </p>
      <p>
        <button
          type="button"
          className="plain"
          onClick={() => {
            rememberUpload(undefined);
            setUpload(undefined);
            void api.abandonUpload(upload.id).catch(() => {});
          }}
        >
          Forget it
        </button>
      </p>
    </Notice>
  );
}
