import { useEffect, useState } from 'react';
import { countLeftOut, LEFT_OUT_REASONS } from '../../../../src/capture/layout/leftOut.js';
import { Frusta } from '../../capture/Frusta.js';
import type { Entry } from '../../capture/readZip.js';
import type { Understanding } from '../../capture/understanding.js';
import { bytes, plural } from '../../format.js';
import { Icon, type IconName } from '../../ui/Icon.js';
import { Notice } from '../../ui/parts.js';

/** Pictures in the strip. */
const SHOWN = 24;

const MASKS = { files: 'in files of their own', transparency: 'from transparency', none: 'none' };
const CAMERAS = {
  given: 'given',
  assumed: 'assumed from the six sides',
  found: 'found from the photos',
  missing: 'missing',
};

interface Fact {
  title: string;
  icon: IconName;
  words: string;
  state: 'good' | 'fair' | 'bad';
}

function factsOf({ views, masks, cameras }: Understanding): Fact[] {
  const depth = views.filter((v) => v.depth).length;
  const tests = views.filter((v) => v.test).length;
  const lost = views.some((v) => !v.picture);
  return [
    {
      title: 'Views',
      icon: 'picture',
      words: `${views.length}${tests > 0 ? `, ${tests} of them for testing only` : ''}`,
      state: views.length === 0 || lost ? 'bad' : 'good',
    },
    { title: 'Masks', icon: 'mask', words: MASKS[masks], state: masks === 'none' ? 'fair' : 'good' },
    {
      title: 'Depth',
      icon: 'depth',
      words: depth === 0 ? 'none' : depth === views.length ? 'for every view' : `for ${depth} of ${views.length}`,
      state: depth === 0 ? 'fair' : 'good',
    },
    {
      title: 'Cameras',
      icon: 'camera',
      words: CAMERAS[cameras],
      state: cameras === 'missing' ? 'bad' : 'good',
    },
  ];
}

const SIGNS = { good: 'check', fair: 'dash', bad: 'cross' } as const;
const SAID = { good: 'present', fair: 'not needed', bad: 'missing' };

/** What a drop holds, and what is missing in it, before anything is sent. */
export function Understood({ facts }: { facts: Understanding }) {
  const { views } = facts;
  return (
    <div className="card understood">
      <div className="told">
        <p className="quiet small">
          {facts.name} · {bytes(facts.bytes)}
        </p>
        <h2>{facts.title}</h2>
        <dl className="checks">
          {factsOf(facts).map((f) => (
            <div key={f.title} className={f.state}>
              <dt>
                <Icon name={f.icon} />
                {f.title}
              </dt>
              <dd>{f.words}</dd>
              <dd className="sign">
                <Icon name={SIGNS[f.state]} />
                <span className="hidden">{SAID[f.state]}</span>
              </dd>
            </div>
          ))}
        </dl>
        {facts.findings.map((f) => (
          <Notice key={f.message} tone={f.severity === 'missing' ? 'bad' : 'hint'}>
            <p>
              {f.severity === 'missing' && <strong>Missing: </strong>}
              {f.message}
            </p>
            {f.remedy && <p className="quiet">{f.remedy}</p>}
          </Notice>
        ))}
      </div>
      {views.some((v) => v.camera) ? (
        <Frusta views={views} leftOut={facts.leftOut} assumed={facts.cameras === 'assumed'} />
      ) : (
        <div className="empty">
          <Icon name="camera" />
          <p>No camera is known, so there is nothing to draw in space.</p>
        </div>
      )}
      {views.length + facts.leftOut.length > 0 && <Use facts={facts} />}
      {views.length > 0 && (
        <ul className="strip" aria-label="Pictures">
          {views.slice(0, SHOWN).map((v) => (
            <li key={`${v.name} ${v.test}`}>
              <Thumb entry={v.picture} name={v.name} />
            </li>
          ))}
          {views.length > SHOWN && <li className="quiet small">and {plural(views.length - SHOWN, 'more', 'more')}</li>}
          {facts.leftOut
            .filter(({ picture }) => picture)
            .slice(0, SHOWN)
            .map(({ name, reason, picture }) => (
              <li key={`left ${name} ${reason}`} className="left-out" title={`${name}: ${LEFT_OUT_REASONS[reason]}`}>
                <Thumb entry={picture} name={`${name}, left out: ${LEFT_OUT_REASONS[reason]}`} />
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}

/** Rows of the table; beyond they are counted. */
const MOST_ROWS = 200;
const KINDS = { picture: 'picture', mask: 'mask', depth: 'depth map', cameras: 'cameras' };

/** One table of all that is used and all that is not, and why; what is not comes first. */
function Use({ facts: { views, leftOut } }: { facts: Understanding }) {
  const left = leftOut.slice(0, MOST_ROWS);
  const used = views.slice(0, MOST_ROWS - left.length);
  const rest = views.length + leftOut.length - left.length - used.length;
  return (
    <details className="use" open={leftOut.length > 0}>
      <summary>
        {leftOut.length > 0 ? `Left out: ${countLeftOut(leftOut)}` : 'Everything is used'}
        <span className="quiet"> – what is used, file by file</span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
      <section className="scroll" tabIndex={0} aria-label="What is used and what is left out">
        <table>
          <thead>
            <tr>
              <th>File</th>
              <th>Use</th>
              <th>Mask</th>
              <th>Depth</th>
            </tr>
          </thead>
          <tbody>
            {left.map(({ kind, name, reason }) => (
              <tr key={`${kind} ${name} ${reason}`} className="left-out">
                <td>{name}</td>
                <td colSpan={3}>
                  {KINDS[kind]} left out: {LEFT_OUT_REASONS[reason]}
                </td>
              </tr>
            ))}
            {used.map((v) => (
              <tr key={`${v.name} ${v.test}`}>
                <td>{v.picture?.name ?? v.name}</td>
                <td>{v.picture ? (v.test ? 'test' : 'view') : 'missing'}</td>
                <td>{v.mask ? 'file' : '–'}</td>
                <td>{v.depth ? 'yes' : '–'}</td>
              </tr>
            ))}
            {rest > 0 && (
              <tr>
                <td colSpan={4}>and {rest} more</td>
              </tr>
            )}
          </tbody>
        </table>
      </section>
    </details>
  );
}

function Thumb({ entry, name }: { entry?: Entry; name: string }) {
  const [url, setUrl] = useState<string>();
  const [unreadable, setUnreadable] = useState(false);
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
      .catch(() => setUnreadable(true));
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [entry]);
  if (!entry) return <span className="blank lost">{name} is not there</span>;
  if (unreadable) return <span className="blank lost">no preview</span>;
  return url ? (
    <img src={url} alt={name} decoding="async" onError={() => setUnreadable(true)} />
  ) : (
    <span className="blank" />
  );
}
