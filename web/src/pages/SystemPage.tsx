import { useEffect, useState } from 'react';
import { api, type Gpu, type Health } from '../api.js';
import { bytes, duration } from '../format.js';
import { Chart } from '../ui/Chart.js';
import { Problem } from '../ui/parts.js';

const EVERY_MS = 4_000;
/** A quarter of an hour. */
const KEPT = 225;

/** Kept while the page is open, so that looking elsewhere leaves no gap in what was seen. */
const history: { at: number; gpus: Gpu[] }[] = [];

/** GPUs, workers, queue, self-test, versions. */
export default function SystemPage() {
  const [health, setHealth] = useState<Health>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      try {
        const found = await api.health();
        if (gone) return;
        history.push({ at: Date.now(), gpus: found.gpus });
        history.splice(0, history.length - KEPT);
        setHealth(found);
        setError(undefined);
      } catch (e) {
        if (!gone) setError(e);
      }
      if (!gone) timer = setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  return (
    <>
      <h1>System</h1>
      {error !== undefined && <Problem error={error} />}
      {health ? <Report health={health} /> : error === undefined && <p className="quiet">Loading…</p>}
    </>
  );
}

function Report({ health }: { health: Health }) {
  const { selfTest, queue, disk } = health;
  const healthy = health.status === 'healthy';
  return (
    <>
      <div className={`notice ${healthy ? 'good' : 'bad'}`} role="status">
        <p>
          <strong>
            {healthy
              ? 'Everything works.'
              : health.status === 'stopping'
                ? 'The service is stopping.'
                : 'Something is wrong.'}
          </strong>
        </p>
        {health.reasons.map((r) => (
          <p key={r}>{r}</p>
        ))}
      </div>
      <section aria-labelledby="gpus">
        <h2 id="gpus">GPUs</h2>
        {health.gpus.length === 0 && (
          <p className="quiet">
            No vendor interface reports live figures here. That says nothing about the adapter that does the work,
            below.
          </p>
        )}
        {health.gpus.map((gpu) => (
          <GpuCard key={`${gpu.vendor} ${gpu.index}`} gpu={gpu} />
        ))}
      </section>
      <section className="columns">
        <div className="card">
          <h2>Work</h2>
          <dl className="facts">
            {queue && (
              <>
                <dt>Waiting</dt>
                <dd>{queue.depth}</dd>
                <dt>Running</dt>
                <dd>{queue.running}</dd>
                <dt>Done, failed, cancelled</dt>
                <dd>
                  {queue.jobs.succeeded}, {queue.jobs.failed}, {queue.jobs.cancelled}
                </dd>
              </>
            )}
            <dt>Self-test</dt>
            <dd>
              {selfTest
                ? selfTest.ok
                  ? `passed ${duration(selfTest.ageSeconds)} ago in ${Math.max(1, Math.round(selfTest.seconds * 1000))} ms`
                  : `failed: ${selfTest.failure?.message ?? 'no reason given'}`
                : 'not yet run; work that goes on proves the device too'}
            </dd>
            {disk && (
              <>
                <dt>Disk</dt>
                <dd>
                  {bytes(disk.freeBytes)} free of {bytes(disk.totalBytes)}
                </dd>
              </>
            )}
          </dl>
          <h3>Workers</h3>
          <div className="table">
            <table>
              <thead>
                <tr>
                  <th scope="col">Host</th>
                  <th scope="col">Adapter</th>
                  <th scope="col">State</th>
                  <th scope="col">Restarts</th>
                </tr>
              </thead>
              <tbody>
                {health.workers.flatMap((w) =>
                  w.slots.map((slot, i) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a slot is known by its place
                    <tr key={`${w.id} ${i}`}>
                      <td>{w.own ? 'this server' : w.host}</td>
                      <td>{String(slot.adapter.device ?? slot.adapter.description ?? '–')}</td>
                      <td>
                        {slot.state}
                        {slot.failure && `: ${slot.failure.message}`}
                      </td>
                      <td>{slot.restarts}</td>
                    </tr>
                  )),
                )}
              </tbody>
            </table>
          </div>
        </div>
        <div className="card">
          <h2>Versions</h2>
          <dl className="facts">
            <dt>Plinth</dt>
            <dd>{health.version}</dd>
            <dt>Up for</dt>
            <dd>{duration(health.uptimeSeconds)}</dd>
            {Object.entries({ ...health.adapter, ...health.facts })
              .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
              .map(([name, value]) => (
                <FactRow key={name} name={name} value={String(value)} />
              ))}
          </dl>
        </div>
      </section>
    </>
  );
}

const FactRow = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </>
);

function GpuCard({ gpu }: { gpu: Gpu }) {
  const series = (of: (g: Gpu) => number | undefined): { x: number; y: number }[] =>
    history.flatMap(({ at, gpus }) => {
      const found = gpus.find((g) => g.vendor === gpu.vendor && g.index === gpu.index);
      const y = found && of(found);
      return y === undefined ? [] : [{ x: at / 1000, y }];
    });
  const used = (g: Gpu): number | undefined => g.memoryUsedBytes && g.memoryUsedBytes / 1e9;
  const charts = [
    {
      title: 'Memory in use',
      points: series(used),
      unit: ' GB',
      range: [0, (gpu.memoryTotalBytes ?? 0) / 1e9] as [number, number],
    },
    {
      title: 'Load',
      points: series((g) => (g.utilization === undefined ? undefined : g.utilization * 100)),
      unit: ' %',
      range: [0, 100] as [number, number],
    },
    {
      title: 'Temperature',
      points: series((g) => g.temperatureCelsius),
      unit: ' °C',
      range: [20, 90] as [number, number],
    },
    {
      title: 'Power',
      points: series((g) => g.powerWatts),
      unit: ' W',
      range: [0, gpu.powerLimitWatts ?? 0] as [number, number],
    },
  ];
  return (
    <div className="card">
      <h3>{gpu.name}</h3>
      {gpu.error && <p className="notice bad">{gpu.error}</p>}
      {gpu.throttleReasons && gpu.throttleReasons.length > 0 && (
        <p className="notice fair">Slowed down: {gpu.throttleReasons.join(', ')}</p>
      )}
      <div className="charts">
        {charts.map((c) => (
          <Chart key={c.title} {...c} xLabel="since this page was opened" />
        ))}
      </div>
    </div>
  );
}
