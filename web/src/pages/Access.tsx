import { type ReactNode, useCallback, useEffect, useState } from 'react';
import { type AuditEntry, type OwnKey, quietApi } from '../api.js';
import { bytes, count, duration } from '../format.js';

const LINES = 50;

/** What the key in use may and has used, and for whoever may see it, who did what. */
export function Access() {
  const [own, setOwn] = useState<OwnKey>();
  const [lines, setLines] = useState<AuditEntry[]>();
  const load = useCallback(async () => {
    try {
      const found = await quietApi().ownKey();
      setOwn(found);
      const admin = found.key === null || found.key.scope === 'admin';
      setLines(admin ? (await quietApi().audit({ limit: LINES })).entries : undefined);
    } catch {
      // Without a key, where one is asked for, there is nothing to show.
      setOwn(undefined);
      setLines(undefined);
    }
  }, []);
  useEffect(() => void load(), [load]);
  if (!own) return null;
  return (
    <>
      <section className="card" aria-labelledby="own-key">
        <h2 id="own-key">Your key</h2>
        {own.key === null ? (
          <p className="quiet">This service asks for no keys: everybody who reaches it may use all of it.</p>
        ) : (
          <>
            <dl className="facts">
              <Fact name="Name">{own.key.name}</Fact>
              <Fact name="May">{SCOPE_WORDS[own.key.scope]}</Fact>
              <Fact name="Project">{own.key.project ?? 'none: it sees its own jobs'}</Fact>
            </dl>
            {own.used && <Quotas quotas={own.quotas} used={own.used} />}
          </>
        )}
      </section>
      {lines && (
        <section className="card" aria-labelledby="audit">
          <div className="row">
            <h2 id="audit">Who did what</h2>
            <span className="grow" />
            <button type="button" onClick={() => void load()}>
              Look again
            </button>
          </div>
          <Audit lines={lines} />
        </section>
      )}
    </>
  );
}

const SCOPE_WORDS = {
  read: 'see jobs',
  submit: 'see, start and end jobs',
  admin: 'see and end all jobs, and manage keys',
};

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

function Quotas({ quotas, used }: { quotas: OwnKey['quotas']; used: NonNullable<OwnKey['used']> }) {
  const rows: { title: string; used: string; most: number | undefined; word: (n: number) => string }[] = [
    { title: 'Jobs at work', used: count(used.runningJobs), most: quotas.runningJobs, word: count },
    { title: 'Jobs at work or waiting', used: count(used.jobs), most: quotas.jobs, word: count },
    { title: 'Stored', used: bytes(used.storedBytes), most: quotas.storedBytes, word: bytes },
    {
      title: 'Computing time today (UTC)',
      used: duration(used.gpuSecondsToday),
      most: quotas.gpuSecondsPerDay,
      word: duration,
    },
  ];
  return (
    <div className="table">
      <table aria-label="Quotas">
        <thead>
          <tr>
            <th scope="col">Quota</th>
            <th scope="col">Used</th>
            <th scope="col">Limit</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ title, used, most, word }) => (
            <tr key={title}>
              <td>{title}</td>
              <td>{used}</td>
              <td>{most ? word(most) : 'none'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Audit({ lines }: { lines: AuditEntry[] }) {
  if (lines.length === 0) return <p className="quiet">Nothing has been changed or refused yet.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a narrow page, by keyboard too
    <section className="table" tabIndex={0} aria-label="Audit log, which scrolls sideways">
      <table aria-label="Audit log">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">From</th>
            <th scope="col">What</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.id}>
              <td>{new Date(line.at).toLocaleString()}</td>
              <td>{line.name}</td>
              <td>{line.address ?? 'the machine itself'}</td>
              <td>
                {line.action} {line.subject && <span className="quiet small">{line.subject}</span>}
              </td>
              <td>{outcome(line)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const outcome = ({ refusal, times }: AuditEntry): string =>
  refusal === null ? 'done' : `refused: ${refusal}${times > 1 ? `, ${count(times)} times` : ''}`;
