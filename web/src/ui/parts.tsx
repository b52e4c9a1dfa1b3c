import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { apiKey, type Failure, fetchPath, type JobState, serviceUrl } from '../api.js';
import { useStore } from '../store.js';
import { explain, remedyFor } from '../words.js';
import { Icon, type IconName } from './Icon.js';

type Tone = 'bad' | 'fair' | 'good' | 'hint';
const TONE_ICONS: Record<Tone, IconName> = { bad: 'cross', fair: 'warning', good: 'check', hint: 'info' };

/** Something the reader should notice, in a box of its tone. */
export function Notice({
  tone,
  role,
  children,
}: {
  tone: Tone;
  role?: 'alert' | 'note' | 'status';
  children: ReactNode;
}) {
  return (
    <div className={`notice ${tone}`} role={role ?? (tone === 'bad' ? 'alert' : 'note')}>
      <Icon name={TONE_ICONS[tone]} />
      {children}
    </div>
  );
}

/** An error in words, with what to do about it. */
export function Problem({ error, children }: { error: unknown; children?: ReactNode }) {
  const { message, remedy, code } = explain(error);
  return (
    <Notice tone="bad">
      <p>
        <strong>{message}</strong>
      </p>
      {remedy && <p>{remedy}</p>}
      {code && (
        <p className="quiet small">
          Code <code>{code}</code>
        </p>
      )}
      {children}
    </Notice>
  );
}

/** A failure or warning that the service reported, with what to do about it. */
export function Report({
  tone,
  code,
  ...report
}: {
  tone: 'bad' | 'fair';
  /** Shown where it is given. */
  code?: string;
} & Pick<Failure, 'message' | 'remedy' | 'remedySteps'>) {
  const remedy = remedyFor(report);
  return (
    <Notice tone={tone}>
      <p>{tone === 'bad' ? <strong>{report.message}</strong> : report.message}</p>
      {remedy && <p>{remedy}</p>}
      {code && (
        <p className="quiet small">
          Code <code>{code}</code>
        </p>
      )}
    </Notice>
  );
}

const STATE_WORDS: Record<JobState, string> = {
  queued: 'Waiting',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};
const STATE_SIGNS: Record<JobState, IconName> = {
  queued: 'clock',
  running: 'play',
  succeeded: 'check',
  failed: 'cross',
  cancelled: 'dash',
};

export const StateBadge = ({ state }: { state: JobState }) => (
  <span className={`badge ${state}`}>
    <Icon name={STATE_SIGNS[state]} />
    <span>{STATE_WORDS[state]}</span>
  </span>
);

const QUALITY_WORDS = { normal: 'Good', warning: 'Fair', failure: 'Poor' };
const QUALITY_SIGNS = { normal: 'check', warning: 'warning', failure: 'cross' } as const;

export const QualityBadge = ({ status }: { status: 'normal' | 'warning' | 'failure' }) => (
  <span className={`badge ${status}`}>
    <Icon name={QUALITY_SIGNS[status]} />
    <span>{QUALITY_WORDS[status]}</span>
  </span>
);

/** Progress of something, 0…1. */
export function Bar({ value, label }: { value: number; label: string }) {
  const now = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      className="bar"
      role="progressbar"
      aria-label={label}
      aria-valuenow={now}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div style={{ width: `${now}%` }} />
    </div>
  );
}

interface DialogProps {
  title: string;
  children: ReactNode;
  onClose: () => void;
}

/** A modal dialog; Escape closes it and the focus goes back to where it was. */
export function Dialog({ title, children, onClose }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onCancel={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="row end">
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}

/** An address usable in `<img>`: the path itself, or, where a key is needed, a copy fetched with it. */
export function useImage(path: string | undefined): string | undefined {
  const key = useStore(apiKey);
  const [copy, setCopy] = useState<{ path: string; url: string }>();
  useEffect(() => {
    if (!key || !path) return;
    const gone = new AbortController();
    let url: string | undefined;
    fetchPath(path, gone.signal)
      .then((r) => r.blob())
      .then((blob) => {
        if (gone.signal.aborted) return;
        url = URL.createObjectURL(blob);
        setCopy({ path, url });
      })
      .catch(() => {});
    return () => {
      gone.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [key, path]);
  if (!path) return undefined;
  return key ? (copy?.path === path ? copy.url : undefined) : serviceUrl() + path;
}

interface ApiImageProps {
  path: string;
  alt: string;
  className?: string;
  /** Fetched at once, not only when it comes near the window. */
  eager?: boolean;
  /** Called when it is on screen, or cannot be had. */
  onSettled?: () => void;
}

export function ApiImage({ path, alt, className, eager, onSettled }: ApiImageProps) {
  const source = useImage(path);
  return source ? (
    <img
      src={source}
      alt={alt}
      className={className}
      loading={eager ? 'eager' : 'lazy'}
      decoding="async"
      onLoad={onSettled}
      onError={onSettled}
    />
  ) : (
    <span className={`blank ${className ?? ''}`} />
  );
}

/** A link that saves a file of the API. */
export function Download({ path, name, children }: { path: string; name: string; children: ReactNode }) {
  const key = useStore(apiKey);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (!key) {
    return (
      <a className="button" href={serviceUrl() + path} download={name}>
        {children}
      </a>
    );
  }
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const url = URL.createObjectURL(await (await fetchPath(path)).blob());
      const link = Object.assign(document.createElement('a'), { href: url, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void save()} aria-busy={busy}>
        {children}
      </button>
      {error !== undefined && <Problem error={error} />}
    </>
  );
}

/** The time, renewed every so often, for words like "2 min ago". */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
