import { api, type Gpu, type Health } from './api.js';
import { createStore } from './store.js';

/** While someone looks at the figures, and otherwise. */
const CLOSE_MS = 3_000;
const FAR_MS = 15_000;
/** Looks that are kept: a quarter of an hour of close ones. */
const KEPT = 300;

/** One look at the service. */
export interface Look {
  /** Milliseconds since 1970. */
  at: number;
  gpus: Gpu[];
  waiting: number;
  running: number;
}

/** What the service said of itself last; undefined before the first answer, null when it does not answer. */
export const health = createStore<Health | null | undefined>(undefined);
/** Kept while the page is open, so that looking elsewhere leaves no gap in what was seen. */
export const looks = createStore<Look[]>([]);

let close = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

async function look(): Promise<void> {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const found = await api.health();
      const { depth = 0, running = 0 } = found.queue ?? {};
      looks.set([...looks.get().slice(1 - KEPT), { at: Date.now(), gpus: found.gpus, waiting: depth, running }]);
      health.set(found);
    } catch {
      health.set(null);
    }
  }
  clearTimeout(timer);
  timer = setTimeout(() => void look(), close > 0 ? CLOSE_MS : FAR_MS);
}

/** Begins to look, for as long as the page is open. */
export function watchHealth(): () => void {
  void look();
  return () => clearTimeout(timer);
}

/** Looks more often until the answer is called. */
export function watchClosely(): () => void {
  close++;
  void look();
  return () => {
    close--;
  };
}
