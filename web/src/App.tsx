import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { apiKey, connected, keyWanted, setKey } from './api.js';
import { Home } from './pages/Home.js';
import { JobPage } from './pages/JobPage.js';
import { useRoute } from './route.js';
import { useStore } from './store.js';
import { Dialog } from './ui/parts.js';
import { setTheme, type Theme, theme } from './ui/theme.js';

const SystemPage = lazy(() => import('./pages/SystemPage.js'));
const ComparePage = lazy(() => import('./pages/ComparePage.js'));

export function App() {
  const [place = '', ...rest] = useRoute();
  const online = useStore(connected);
  const wanted = useStore(keyWanted);
  const key = useStore(apiKey);
  const [asking, setAsking] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
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
          <a href="#/" aria-current={place === '' ? 'page' : undefined}>
            Models
          </a>
          <a href="#/compare" aria-current={place === 'compare' ? 'page' : undefined}>
            Compare
          </a>
          <a href="#/system" aria-current={place === 'system' ? 'page' : undefined}>
            System
          </a>
        </nav>
        <span className="grow" />
        <button type="button" className="plain" onClick={() => setAsking(true)}>
          {key ? 'Key set' : 'Key'}
        </button>
        <ThemeChoice />
      </header>
      {!online && (
        <div className="banner" role="status">
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
        Everything here is done through the <a href="./docs/">HTTP API</a>, open to your own programs.
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

function ThemeChoice() {
  const value = useStore(theme);
  return (
    <label className="theme">
      <span className="hidden">Colours</span>
      <select value={value} onChange={(e) => setTheme(e.target.value as Theme)}>
        <option value="auto">Auto</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function KeyDialog({ reason, onClose }: { reason?: string; onClose: () => void }) {
  const had = useStore(apiKey);
  const [text, setText] = useState('');
  return (
    <Dialog title="API key" onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          setKey(text.trim() || undefined);
          onClose();
        }}
      >
        <p>
          {reason ?? 'A service that others can reach asks for a key.'} Make one with <code>plinth keys create</code>.
          It is kept in this browser only.
        </p>
        <label className="field">
          Key
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(e) => setText(e.target.value)}
          />
        </label>
        <div className="row end">
          {had && (
            <button
              type="button"
              onClick={() => {
                setKey(undefined);
                onClose();
              }}
            >
              Forget the key
            </button>
          )}
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" className="primary" disabled={text.trim() === ''}>
            Use this key
          </button>
        </div>
      </form>
    </Dialog>
  );
}
