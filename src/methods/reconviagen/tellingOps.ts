import type { Gpu } from '../../gpu/runtime/gpu.js';
import { GpuOps } from '../../nn/gpuOps.js';
import type { Tensor } from '../../nn/ops.js';
import { MEMORY_TIERS, type MemoryTier } from './memory.js';

/** Operations on a device that tell how far the work is, and that give everything back when it ends in the middle. */
export class TellingOps extends GpuOps {
  /** Called after each part of a network: see `Ops.flush`. */
  onFlush: () => void = () => {};
  private depth = 0;

  /** @param tier how much of the device's memory is used; default: most */
  constructor(
    gpu: Gpu,
    readonly tier: MemoryTier = MEMORY_TIERS[0],
  ) {
    super(gpu, { halves: tier.halves });
  }

  override open(): void {
    this.depth++;
    super.open();
  }

  override close(keep: readonly Tensor[] = []): void {
    this.depth--;
    super.close(keep);
  }

  override async flush(signal?: AbortSignal): Promise<void> {
    await super.flush(signal);
    this.onFlush();
  }

  /**
   * Runs work on a network that is on the device only meanwhile; what it returns is kept.
   * @param load reads the network
   */
  async withNetwork<Network, R extends readonly Tensor[]>(
    load: () => Promise<Network>,
    work: (network: Network) => Promise<R>,
  ): Promise<R> {
    this.open();
    const result = await work(await load());
    this.close(result);
    await this.tidy();
    return result;
  }

  /** Gives the device back what nobody holds any more, once what is recorded has been sent off. */
  async tidy(): Promise<void> {
    await super.flush();
    this.gpu.trim();
  }

  /** Frees all that is not freed, after an error too. */
  async closeAll(): Promise<void> {
    while (this.depth > 0) this.close();
    // What the device has to say was said by the error that this may follow.
    await this.tidy().catch(() => {});
  }
}
