/** Live figures of one GPU. A figure that the driver does not offer is absent; that is not an error. */
export interface GpuFigures {
  /** Position among the machine's GPUs. */
  index: number;
  name: string;
  vendor: string;
  uuid?: string;
  memoryTotalBytes?: number;
  memoryUsedBytes?: number;
  memoryFreeBytes?: number;
  /** 0…1 */
  utilization?: number;
  temperatureCelsius?: number;
  powerWatts?: number;
  powerLimitWatts?: number;
  graphicsClockHertz?: number;
  memoryClockHertz?: number;
  /** Why the clocks are held down; empty = they are not. */
  throttleReasons?: string[];
  /** Uncorrected ECC errors since boot. */
  eccErrors?: number;
  /** Number of the last critical driver error (Xid), where there was one. */
  lastXid?: number;
  /** A query failed that this GPU supports: counts as unhealthy. */
  error?: string;
}

/** Facts and live figures of this machine's GPUs. The room `health` implements it. */
export interface HealthSource {
  /** Facts found at start, for `/health`; JSON-serialisable. */
  facts(): Record<string, unknown>;
  /**
   * Reads live figures without blocking the event loop; an empty list where there is no interface to ask. Must give up
   * after `timeoutMs`.
   */
  live(timeoutMs: number): Promise<GpuFigures[]>;
}

/** Where no vendor's interface was looked for: nothing is known. */
export const unknownHealth: HealthSource = { facts: () => ({}), live: async () => [] };
