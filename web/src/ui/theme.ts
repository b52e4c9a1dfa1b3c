import { createStore, remembered } from '../store.js';

export type Theme = 'auto' | 'light' | 'dark';

export const theme = createStore<Theme>((remembered.get('theme') as Theme | undefined) ?? 'auto');

export function applyTheme(): void {
  const value = theme.get();
  if (value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}

export function setTheme(value: Theme): void {
  theme.set(value);
  remembered.set('theme', value === 'auto' ? undefined : value);
  applyTheme();
}
