/** Words for people, in the one way that advice, verdict and report write them. */

/** "3 views", "1 view"; thousands with a thin space. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${thousands(n)} ${n === 1 ? one : many}`;

/** 12345 → "12 345" with narrow no-break spaces. */
export const thousands = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u202f');

/** 0.123 → "12 %", 0.012 → "1.2 %". */
export function percent(share: number): string {
  const p = share * 100;
  return `${p !== 0 && Math.abs(p) < 9.95 ? p.toFixed(1) : p.toFixed(0)}\u00a0%`;
}

export const decibel = (v: number): string => `${v.toFixed(1)}\u00a0dB`;

/** Three significant digits without an exponent where it fits: 0.00123, 12.3, 1230. */
export function significant(v: number): string {
  if (v === 0) return '0';
  if (Math.abs(v) >= 1e6 || Math.abs(v) < 1e-5) return v.toExponential(2);
  return String(Number(v.toPrecision(3)));
}

/** "a", "a and b", "a, b and 4 more". */
export function named(names: readonly string[], shown = 3): string {
  if (names.length === 0) return '';
  if (names.length === 1) return names[0];
  if (names.length <= shown) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
}

/** "a", "a and b", "a, b and c". */
export const listed = (items: readonly string[]): string => named(items, items.length);

/** "view front", "views front and left". */
export const viewsNamed = (names: readonly string[]): string =>
  `${names.length === 1 ? 'view' : 'views'} ${named(names)}`;

/** "1.4 s", "2 min 5 s". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}\u00a0s`;
  if (seconds < 59.5) return `${seconds.toFixed(0)}\u00a0s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}\u00a0min\u00a0${whole % 60}\u00a0s`;
  return `${Math.floor(minutes / 60)}\u00a0h\u00a0${minutes % 60}\u00a0min`;
}

/** "512 bytes", "1.4 MB" (powers of 1000). */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes}\u00a0bytes`;
  const unit = bytes < 1e6 ? (['kB', 1e3] as const) : bytes < 1e9 ? (['MB', 1e6] as const) : (['GB', 1e9] as const);
  const value = bytes / unit[1];
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)}\u00a0${unit[0]}`;
}
