/** A part of the GPU's work. Times are seconds from the start of the profile. */
export interface ProfileSpan {
  /** The kernel's or render pass's name; for a submission its label, or the names of what is in it. */
  name: string;
  kind: 'compute' | 'render' | 'submission';
  /** The stage in which it was submitted, where there was one. */
  stage?: string;
  /** Dispatches in the pass, or passes in the submission. */
  calls: number;
  start: number;
  seconds: number;
}

/** A stage of the work, on the wall clock: seconds from the start of the profile. */
export interface ProfileStage {
  name: string;
  start: number;
  seconds: number;
}

/** Where the time of some work on the GPU went. */
export interface Profile {
  /** Name of the adapter. */
  device: string;
  /**
   * `device`: timestamps that the GPU wrote around each pass. `wall`: it has none, so these are times from submission
   * to end on the CPU's clock.
   */
  clock: 'device' | 'wall';
  /** Wall time of the whole. */
  seconds: number;
  stages: ProfileStage[];
  /** In the order of their start. */
  spans: ProfileSpan[];
  /** Passes whose times could not be read back, since the device failed. */
  lost: number;
}

/** Sum over the spans of one kernel, or over those of one stage. */
export interface ProfileTotal {
  name: string;
  seconds: number;
  calls: number;
}

/** Totals per kernel, the longest first. */
export const kernelTotals = (profile: Profile): ProfileTotal[] => totals(profile.spans, (span) => span.name);

function totals(spans: readonly ProfileSpan[], nameOf: (span: ProfileSpan) => string): ProfileTotal[] {
  const byName = new Map<string, ProfileTotal>();
  for (const span of spans) {
    const name = nameOf(span);
    const total = byName.get(name) ?? { name, seconds: 0, calls: 0 };
    total.seconds += span.seconds;
    total.calls += span.calls;
    byName.set(name, total);
  }
  return [...byName.values()].sort((a, b) => b.seconds - a.seconds || (a.name < b.name ? -1 : 1));
}

/** The profile as two tables for a terminal, per stage and per kernel, without colours. */
export function formatProfile(profile: Profile): string {
  const { clock, device, lost, seconds, spans } = profile;
  const busy = spans.reduce((sum, span) => sum + span.seconds, 0);
  const perStage = new Map(totals(spans, (span) => span.stage ?? '').map((t) => [t.name, t]));
  const stages = totals(
    profile.stages.map((s) => ({ ...s, kind: 'submission', calls: 0 })),
    (span) => span.name,
  );
  const share = (part: number): string => `${((100 * part) / (busy || 1)).toFixed(1)} %`;
  const lines = [`Profile on ${device}: ${time(seconds)}, the GPU at work for ${time(busy)} of them`];
  lines.push(
    clock === 'device'
      ? 'GPU times are timestamps that the device wrote around each pass.'
      : 'This adapter has no timestamps: GPU times are wall times of whole submissions, from hand-over to end.',
  );
  if (lost > 0) lines.push(`The times of ${lost} passes were lost with the device.`);
  const stageRows = stages.map(({ name, seconds: wall }) => {
    const gpu = perStage.get(name)?.seconds ?? 0;
    return [name, time(wall), time(gpu), share(gpu)];
  });
  const outside = perStage.get('')?.seconds;
  if (outside !== undefined) stageRows.push(['(none)', '', time(outside), share(outside)]);
  if (stageRows.length > 0) lines.push('', ...table(['stage', 'wall', 'GPU', 'share'], stageRows));
  const kernels = kernelTotals(profile).map((t) => [
    t.name,
    time(t.seconds),
    share(t.seconds),
    String(t.calls),
    time(t.seconds / t.calls),
  ]);
  const what = clock === 'device' ? 'kernel or pass' : 'submission';
  lines.push('', ...table([what, 'GPU', 'share', clock === 'device' ? 'calls' : 'passes', 'each'], kernels));
  return lines.join('\n');
}

function time(seconds: number): string {
  if (seconds === 0) return '–';
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return seconds >= 1e-3 ? `${(seconds * 1e3).toFixed(2)} ms` : `${(seconds * 1e6).toFixed(1)} µs`;
}

/** The first column to the left, the others to the right. */
function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  return [head, ...rows].map((row) =>
    `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`.trimEnd(),
  );
}

/** An event of the Chrome trace event format. Times are microseconds. */
export interface TraceEvent {
  name: string;
  ph: 'X' | 'M';
  pid: number;
  tid: number;
  cat?: string;
  ts?: number;
  dur?: number;
  args?: Record<string, unknown>;
}

const STAGES_TRACK = 1;
const GPU_TRACK = 2;

/**
 * The profile in the Chrome trace event format (JSON object form with complete events), which Perfetto and
 * chrome://tracing open: a track of stages and one of the GPU. Passes that a GPU runs at the same time are shown one
 * after the other, since events of a track have to nest.
 */
export function profileTrace(profile: Profile): { traceEvents: TraceEvent[]; displayTimeUnit: 'ms' } {
  const named = (name: string, tid: number, value: string): TraceEvent => ({
    name,
    ph: 'M',
    pid: 1,
    tid,
    args: { name: value },
  });
  const clock = profile.clock === 'device' ? 'timestamps' : 'wall times of submissions';
  const traceEvents = [
    named('process_name', 0, 'plinth'),
    named('thread_name', STAGES_TRACK, 'stages'),
    named('thread_name', GPU_TRACK, `GPU: ${profile.device} (${clock})`),
  ];
  for (const { name, start, seconds } of profile.stages) {
    traceEvents.push({ name, ph: 'X', cat: 'stage', pid: 1, tid: STAGES_TRACK, ts: micro(start), dur: micro(seconds) });
  }
  let free = 0;
  for (const { name, kind, stage, calls, start, seconds } of profile.spans) {
    const ts = Math.max(free, micro(start));
    const dur = Math.max(0, micro(start + seconds) - ts);
    free = ts + dur;
    traceEvents.push({ name, ph: 'X', cat: kind, pid: 1, tid: GPU_TRACK, ts, dur, args: { stage, calls } });
  }
  return { traceEvents, displayTimeUnit: 'ms' };
}

/** Whole nanoseconds, so that sums of two are exact. */
const micro = (seconds: number): number => Math.round(seconds * 1e9) / 1e3;
