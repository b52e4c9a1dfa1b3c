import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { apiKey, connected, keyWanted } from './api.js';
import { health, watchHealth } from './health.js';
import { Home } from './pages/Home.js';
import { JobPage } from './pages/job/JobPage.js';
import { useRoute } from './route.js';
import { useStore } from './store.js';
import { Icon } from './ui/Icon.js';
import { KeyDialog } from './ui/KeyDialog.js';
import { ThemeChoice } from './ui/ThemeChoice.js';

const SystemPage = lazy(() => import('./pages/SystemPage.js'));
const ComparePage = lazy(() => import('./pages/compare/ComparePage.js'));

const PAGES = [
  { place: '', title: 'Models' },
  { place: 'compare', title: 'Compare' },
  { place: 'system', title: 'System' },
] as const;

export function App() {
  const [place = '', ...rest] = useRoute();
  const online = useStore(connected);
  const wanted = useStore(keyWanted);
  const key = useStore(apiKey);
  const [asking, setAsking] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(watchHealth, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page is read from its top
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      scrollTo(0, 0);
      main.current?.focus();
    }
  }, [place, rest[0]]);
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className="top">
        <a className="brand" href="#/">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M16 3l8 4.5v9L16 21l-8-4.5v-9z" />
            <path className="base" d="M6 24h20v4H6z" />
          </svg>
          Plinth
        </a>
        <nav aria-label="Pages">
          {PAGES.map((page) => (
            <a key={page.place} href={`#/${page.place}`} aria-current={place === page.place ? 'page' : undefined}>
              {page.title}
            </a>
          ))}
        </nav>
        <span className="grow" />
        <Pulse />
        <button type="button" className="plain" onClick={() => setAsking(true)}>
          <Icon name="key" />
          {key ? 'Key set' : 'Key'}
        </button>
        <ThemeChoice />
      </header>
      {!online && (
        <div className="banner" role="status">
          <Icon name="warning" />
          The service cannot be reached. Trying again; nothing is lost.
        </div>
      )}
      <main id="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<p className="quiet">Loading…</p>}>
          {place === 'jobs' && rest[0] ? (
            <JobPage key={`${rest[0]} ${key}`} id={rest[0]} />
          ) : place === 'system' ? (
            <SystemPage key={key} />
          ) : place === 'compare' ? (
            <ComparePage key={key} sides={rest} />
          ) : (
            <Home key={key} />
          )}
        </Suspense>
      </main>
      <footer className="bottom quiet small">
        <span>
          Everything here is done through the <a href="./docs/">HTTP API</a>, open to your own programs.
        </span>
        <span>Pictures and models stay on this service.</span>
      </footer>
      {(asking || wanted !== undefined) && (
        <KeyDialog
          reason={wanted}
          onClose={() => {
            setAsking(false);
            keyWanted.set(undefined);
          }}
        />
      )}
    </>
  );
}

const PULSE_WORDS = { healthy: 'Service healthy', unhealthy: 'Service has a problem', stopping: 'Service is stopping' };

/** The state of the service in a word; leads to the page that explains it. */
function Pulse() {
  const now = useStore(health);
  if (!now) return null;
  return (
    <a className={`pulse ${now.status}`} href="#/system">
      <span>{PULSE_WORDS[now.status]}</span>
    </a>
  );
}
