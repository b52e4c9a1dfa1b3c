import type { GpuFacts, GpuFigures } from './figures.js';
import { type VendorAnswer, VendorProbe } from './vendorProbe.js';

export interface LiveFigures {
  /** `unknown` where no vendor interface answers, which is never the same as healthy. */
  state: 'healthy' | 'unhealthy' | 'unknown';
  /** Why unhealthy or unknown; each GPU's own reasons with its name. */
  reasons: string[];
  gpus: GpuFigures[];
}

let shared: VendorProbe | undefined;

/** The probe of this process, made on first use. */
export function defaultProbe(): VendorProbe {
  shared ??= new VendorProbe();
  return shared;
}

export interface LiveOptions {
  probe?: VendorProbe;
  /**
   * Vendor of the adapter in use, as in `AdapterFacts.vendor`. Then only that vendor's interface decides on the state:
   * a machine that works on an AMD GPU is not ill for a leftover library of NVIDIA. Default: all count.
   */
  vendor?: string;
}

/**
 * Figures of all GPUs at this moment. Never throws; takes at most the probe's time-out; never blocks the event loop.
 */
export async function liveFigures(options: LiveOptions = {}): Promise<LiveFigures> {
  const { probe = defaultProbe(), vendor } = options;
  const answer = await probe.figures();
  const gpus = gpusOf(answer);
  const counted = gpus.filter((g) => vendor === undefined || g.vendor === vendor);
  const reasons = [
    ...failuresOf(answer, vendor),
    ...counted.flatMap((g) => g.reasons.map((reason) => `${g.vendor} ${g.index} (${g.name}): ${reason}`)),
  ];
  if (reasons.length > 0) return { state: 'unhealthy', reasons, gpus };
  if (counted.length === 0)
    return { state: 'unknown', reasons: ['no management interface answers for the adapter'], gpus };
  return { state: 'healthy', reasons, gpus };
}

/** The GPUs of both interfaces. */
export function gpusOf<T extends GpuFacts | GpuFigures>(answer: VendorAnswer<T>): T[] {
  return [answer.nvidia, answer.others].flatMap((a) => (a.status === 'ok' ? a.gpus : []));
}

/** What failed, each once, of one vendor's interface or of all. */
export function failuresOf(answer: VendorAnswer<unknown>, vendor?: string): string[] {
  const counted = [
    ...(vendor === undefined || vendor === 'nvidia' ? [answer.nvidia] : []),
    ...(vendor === undefined || vendor === 'amd' || vendor === 'intel' ? [answer.others] : []),
  ];
  return [...new Set(counted.flatMap((a) => (a.status === 'failed' ? [a.message] : [])))];
}
