import { useSyncExternalStore } from 'react';

/** A value that components follow. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get);

/** Something small that outlives the page; where storage is forbidden, it lives as long as the page. */
export const remembered = {
  get(name: string): string | undefined {
    try {
      return localStorage.getItem(`plinth.${name}`) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(name: string, value: string | undefined): void {
    try {
      if (value === undefined) localStorage.removeItem(`plinth.${name}`);
      else localStorage.setItem(`plinth.${name}`, value);
    } catch {
      // Private windows may forbid it.
    }
  },
};
