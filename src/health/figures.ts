/** What vendors' interfaces say about GPUs. A figure that a device does not offer is absent. */

export type GpuVendor = 'nvidia' | 'amd' | 'intel';

/** Facts that do not change while the machine runs. */
export interface GpuFacts {
  vendor: GpuVendor;
  /** Position among the GPUs of its vendor. */
  index: number;
  name: string;
  uuid?: string;
  /** Such as `0000:01:00.0`. */
  pciAddress?: string;
  /** Version of the vendor's driver, or the name of the kernel's. */
  driver?: string;
  /** Highest CUDA version of the driver, such as "12.4". */
  cuda?: string;
  /** Such as "8.9". */
  computeCapability?: string;
  /** Bytes. */
  memoryTotal?: number;
}

/** Figures of the moment. */
export interface GpuFigures {
  vendor: GpuVendor;
  index: number;
  name: string;
  uuid?: string;
  /** Bytes. */
  memory?: { total: number; used: number; free: number };
  /** Share of the time that the GPU worked, 0…1. */
  utilization?: number;
  /** Share of the time that its memory was read or written, 0…1. */
  memoryUtilization?: number;
  /** Degrees Celsius. */
  temperature?: number;
  /** Watts. */
  power?: number;
  powerLimit?: number;
  /** Hertz. */
  clocks?: { graphics?: number; memory?: number };
  /** Why clocks are lowered; empty where they are not. */
  throttleReasons?: string[];
  /** Memory errors since the driver was loaded. */
  eccErrors?: { corrected: number; uncorrected: number };
  /** Memory pages taken out of use for good. */
  retiredPages?: number;
  /** Memory rows replaced by spare ones. */
  remappedRows?: { corrected: number; uncorrected: number; pending: boolean; failed: boolean };
  /** NVIDIA's critical errors since Plinth started to listen. */
  xidErrors?: { count: number; codes: number[] };
  /** Queries that failed, other than for not being supported. */
  errors: string[];
  /** `unhealthy` with any reason. */
  state: 'healthy' | 'unhealthy';
  reasons: string[];
}

/** The answer of one vendor interface. `absent`: there is none here; `failed`: it is there and does not work. */
export type Answer<T> =
  | { status: 'ok'; gpus: T[] }
  | { status: 'absent' }
  | { status: 'failed'; message: string; hung?: boolean };

/**
 * Critical errors that speak of broken hardware or a lost GPU; others come from faulty programs (NVIDIA, "XID Errors",
 * r560).
 */
const HARDWARE_XIDS = new Set([46, 48, 54, 61, 62, 63, 64, 74, 79, 92, 95, 109, 110, 119, 120, 136, 140, 143, 158]);

/** Reasons against calling a GPU healthy. Figures that are not supported are no reason; failed queries are. */
export function unhealthyReasons(figures: Omit<GpuFigures, 'state' | 'reasons'>): string[] {
  const reasons = figures.errors.map((error) => `query failed: ${error}`);
  if (figures.eccErrors && figures.eccErrors.uncorrected > 0)
    reasons.push(`${figures.eccErrors.uncorrected} uncorrected memory errors`);
  if (figures.remappedRows?.failed)
    reasons.push('a faulty memory row could not be remapped: the GPU needs replacement');
  if (figures.remappedRows?.pending) reasons.push('a memory row waits to be remapped: the GPU needs a reset');
  for (const code of new Set(figures.xidErrors?.codes ?? []))
    if (HARDWARE_XIDS.has(code)) reasons.push(`critical error Xid ${code}`);
  return reasons;
}
