import { type ReactNode, useEffect } from 'react';
import type { Gpu, Health } from '../api.js';
import { bytes, duration, percent, plural } from '../format.js';
import { health as healthStore, type Look, looks, watchClosely } from '../health.js';
import { useStore } from '../store.js';
import { Chart } from '../ui/Chart.js';
import { Icon, type IconName } from '../ui/Icon.js';
import { Notice } from '../ui/parts.js';
import { Access } from './Access.js';

/** GPUs, workers, queue, self-test, versions, the key in use and the audit log. */
export default function SystemPage() {
  const health = useStore(healthStore);
  useEffect(watchClosely, []);
  return (
    <>
      <div className="headline">
        <h1>System</h1>
        {health && <span className="quiet">Plinth {health.version}</span>}
      </div>
      {health === null && (
        <Notice tone="bad">
          <p>
            <strong>The service does not say how it is.</strong> It is asked again every few seconds.
          </p>
        </Notice>
      )}
      {health ? <Report health={health} /> : health === undefined && <p className="quiet">Loading…</p>}
      <Access />
    </>
  );
}

function Report({ health }: { health: Health }) {
  const { queue } = health;
  const history = useStore(looks);
  return (
    <>
      <Overview health={health} />
      <section aria-labelledby="gpus">
        <h2 id="gpus">GPUs</h2>
        {health.gpus.map((gpu) => (
          <GpuCard key={`${gpu.vendor} ${gpu.index}`} gpu={gpu} history={history} />
        ))}
        {health.gpus.length === 0 && <NoFigures health={health} />}
      </section>
      <div className="columns">
        <section className="card" aria-labelledby="workers">
          <h2 id="workers">Workers</h2>
          <Workers health={health} />
          {queue && (
            <div className="charts">
              <Chart
                title="Jobs at work"
                points={history.map((l) => ({ x: l.at / 1000, y: l.running }))}
                range={[0, 1]}
              />
              <Chart
                title="Jobs waiting"
                points={history.map((l) => ({ x: l.at / 1000, y: l.waiting }))}
                range={[0, 1]}
              />
            </div>
          )}
        </section>
        <section className="card" aria-labelledby="versions">
          <h2 id="versions">Versions</h2>
          <dl className="facts">
            <dt>Plinth</dt>
            <dd>{health.version}</dd>
            <dt>Up for</dt>
            <dd>{duration(health.uptimeSeconds)}</dd>
            {plainFacts({ ...health.adapter, ...health.facts }).map(([name, value]) => (
              <FactRow key={name} name={name} value={value} />
            ))}
          </dl>
        </section>
      </div>
    </>
  );
}

/** The four things to know at a glance. */
function Overview({ health }: { health: Health }) {
  const { selfTest, queue, disk, status, reasons } = health;
  const words = { healthy: 'Everything works', stopping: 'Stopping', unhealthy: 'Something is wrong' };
  return (
    <>
      <div className="tiles">
        <Tile
          icon={status === 'healthy' ? 'check' : 'warning'}
          title="Service"
          tone={status === 'healthy' ? 'good' : 'bad'}
        >
          <strong role="status">{words[status]}</strong>
          <span className="quiet small">up for {duration(health.uptimeSeconds)}</span>
        </Tile>
        <Tile icon="cube" title="Self-test" tone={selfTest ? (selfTest.ok ? 'good' : 'bad') : undefined}>
          <strong>{selfTest ? (selfTest.ok ? 'Passed' : 'Failed') : 'Not yet run'}</strong>
          <span className="quiet small">
            {selfTest
              ? selfTest.ok
                ? `${duration(selfTest.ageSeconds)} ago, in ${Math.max(1, Math.round(selfTest.seconds * 1000))} ms`
                : (selfTest.failure?.message ?? 'no reason given')
              : 'work that goes on proves the device too'}
          </span>
        </Tile>
        {queue && (
          <Tile icon="clock" title="Queue">
            <strong>
              {queue.running} running, {queue.depth} waiting
            </strong>
            <span className="quiet small">
              {queue.jobs.succeeded} done, {queue.jobs.failed} failed, {queue.jobs.cancelled} cancelled
            </span>
          </Tile>
        )}
        {disk && (
          <Tile icon="files" title="Disk">
            <strong>{bytes(disk.freeBytes)} free</strong>
            <span className="quiet small">
              {percent(disk.freeBytes / disk.totalBytes)} of {bytes(disk.totalBytes)}
            </span>
          </Tile>
        )}
      </div>
      {reasons.length > 0 && (
        <Notice tone="bad">
          {reasons.map((r) => (
            <p key={r}>{r}</p>
          ))}
        </Notice>
      )}
    </>
  );
}

interface TileProps {
  icon: IconName;
  title: string;
  tone?: 'good' | 'bad';
  children: ReactNode;
}

const Tile = ({ icon, title, tone, children }: TileProps) => (
  <section className={`card tile ${tone ?? ''}`} aria-label={title}>
    <span className="sign">
      <Icon name={icon} />
    </span>
    <div>
      <h2>{title}</h2>
      {children}
    </div>
  </section>
);

/** Where no vendor's interface gives figures: what the adapter says of itself. */
function NoFigures({ health: { adapter } }: { health: Health }) {
  const software = adapter?.kind === 'software';
  return (
    <div className="card">
      <h3>{String(adapter?.device ?? 'No adapter')}</h3>
      <p className="quiet">
        {software
          ? 'A software adapter: the processor does the work, correctly and many times slower than a GPU ' +
            'would. It has no memory, load, temperature or power of its own to show.'
          : 'The vendor’s interface gives no live figures here (memory, load, temperature, power). That says ' +
            'nothing about the work the adapter does.'}
      </p>
    </div>
  );
}

function Workers({ health }: { health: Health }) {
  return (
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
                <td>{w.own ? 'this server' : (w.host ?? 'another machine')}</td>
                <td>{String(slot.adapter.device ?? slot.adapter.description ?? '–')}</td>
                <td>
                  {slot.job ? <a href={`#/jobs/${slot.job}`}>{slot.state}</a> : slot.state}
                  {slot.failure && `: ${slot.failure.message}`}
                </td>
                <td>{slot.restarts}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}

const SIZES = /bytes$|^memory$/i;

/** Facts that can be read in a line; sizes in words. */
const plainFacts = (facts: Record<string, unknown>): [string, string][] =>
  Object.entries(facts).flatMap(([name, value]): [string, string][] => {
    if (name === 'index' || !['string', 'number', 'boolean'].includes(typeof value)) return [];
    const spaced = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
    const words = SIZES.test(name) && typeof value === 'number' ? bytes(value) : String(value);
    return [[spaced[0].toUpperCase() + spaced.slice(1), words]];
  });

const FactRow = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </>
);

function GpuCard({ gpu, history }: { gpu: Gpu; history: Look[] }) {
  const series = (of: (g: Gpu) => number | undefined): { x: number; y: number }[] =>
    history.flatMap(({ at, gpus }) => {
      const found = gpus.find((g) => g.vendor === gpu.vendor && g.index === gpu.index);
      const y = found && of(found);
      return y === undefined ? [] : [{ x: at / 1000, y }];
    });
  const charts: { title: string; points: { x: number; y: number }[]; unit: string; range: [number, number] }[] = [
    {
      title: 'Memory in use',
      points: series((g) => g.memoryUsedBytes && g.memoryUsedBytes / 1e9),
      unit: ' GB',
      range: [0, (gpu.memoryTotalBytes ?? 0) / 1e9],
    },
    {
      title: 'Load',
      points: series((g) => (g.utilization === undefined ? undefined : g.utilization * 100)),
      unit: ' %',
      range: [0, 100],
    },
    { title: 'Temperature', points: series((g) => g.temperatureCelsius), unit: ' °C', range: [20, 90] },
    { title: 'Power', points: series((g) => g.powerWatts), unit: ' W', range: [0, gpu.powerLimitWatts ?? 0] },
  ];
  return (
    <div className="card gpu">
      <div className="row">
        <h3>{gpu.name}</h3>
        <span className="grow" />
        <span className="quiet small">
          {gpu.memoryTotalBytes !== undefined && `${bytes(gpu.memoryTotalBytes)} of memory`}
          {gpu.powerLimitWatts !== undefined && ` · limit ${Math.round(gpu.powerLimitWatts)} W`}
        </span>
      </div>
      {gpu.error && (
        <Notice tone="bad">
          <p>{gpu.error}</p>
        </Notice>
      )}
      {gpu.throttleReasons && gpu.throttleReasons.length > 0 && (
        <Notice tone="fair">
          <p>Slowed down: {gpu.throttleReasons.join(', ')}</p>
        </Notice>
      )}
      {(gpu.eccErrors ?? 0) > 0 && (
        <Notice tone="fair">
          <p>{plural(gpu.eccErrors!, 'memory error')} since the driver was loaded</p>
        </Notice>
      )}
      <div className="charts">
        {charts.map((c) => (
          <Chart key={c.title} {...c} xLabel={over(c.points)} />
        ))}
      </div>
    </div>
  );
}

const over = (points: { x: number }[]): string | undefined =>
  points.length > 1 ? `over ${duration(points[points.length - 1].x - points[0].x)}` : undefined;
