import { isIPv6 } from 'node:net';

const ENTRIES = 10_000;

/** A budget of failures for each address, which fills up again evenly. */
export class Throttle {
  private readonly spent = new Map<string, { failures: number; at: number }>();

  constructor(
    /** Failures that an address may make in a minute. */
    private readonly perMinute: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Seconds until the address may try again; 0 = it may now. */
  wait(address: string): number {
    const failures = this.failuresOf(groupOf(address));
    return failures <= this.perMinute - 1 ? 0 : Math.ceil((failures - this.perMinute + 1) * (60 / this.perMinute));
  }

  /** Counts a failure. */
  fail(address: string): void {
    const group = groupOf(address);
    const failures = Math.min(this.perMinute, this.failuresOf(group) + 1);
    // Those that failed last stand last, so that what is forgotten first failed longest ago.
    this.spent.delete(group);
    this.spent.set(group, { failures, at: this.now() });
    if (this.spent.size > ENTRIES) this.spent.delete(this.spent.keys().next().value!);
  }

  private failuresOf(group: string): number {
    const entry = this.spent.get(group);
    if (!entry) return 0;
    const left = entry.failures - ((this.now() - entry.at) / 60_000) * this.perMinute;
    if (left > 0) return left;
    this.spent.delete(group);
    return 0;
  }
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
export function groupOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::')) return address;
  const [head, tail = ''] = address.split('::');
  const given = head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const all = address.includes('::')
    ? [...given, ...Array(8 - given.length - after.length).fill('0'), ...after]
    : given;
  return `${all.slice(0, 4).join(':')}::/64`;
}
