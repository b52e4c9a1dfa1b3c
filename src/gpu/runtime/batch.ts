import type { BatchProfile } from './profiler.js';
import type { GpuResources } from './resources.js';

const SLOT = 256; // minUniformBufferOffsetAlignment of every adapter is at most this

/**
 * Commands recorded together and submitted once. Consecutive dispatches share one compute pass. Uniform blocks are
 * packed into arenas that are written just before the submission.
 */
export class Batch {
  readonly encoder: GPUCommandEncoder;
  /** The device's limits, buffers and caches. */
  readonly gpu: GpuResources;
  private pass: GPUComputePassEncoder | undefined;
  private readonly label: string | undefined;
  private readonly profile: BatchProfile | undefined;
  private readonly arenas: { buffer: GPUBuffer; blocks: Uint8Array<ArrayBuffer>; used: number }[] = [];
  private readonly afterSubmit: (() => void)[] = [];

  constructor(gpu: GpuResources, label?: string) {
    this.gpu = gpu;
    this.label = label;
    this.profile = gpu.profiler?.batch();
    this.encoder = gpu.device.createCommandEncoder({ label: label ?? 'batch' });
  }

  /**
   * The compute pass for a dispatch of the kernel `name`: the current one; where kernels are timed, each kernel has its
   * own.
   */
  computePass(name: string): GPUComputePassEncoder {
    if (this.pass && this.profile && !this.profile.joins(name)) this.endPass();
    this.pass ??= this.encoder.beginComputePass(
      this.profile && { label: name, timestampWrites: this.profile.pass(name, 'compute') },
    );
    return this.pass;
  }

  /** Begins a render pass, which the caller ends before it records anything else. */
  renderPass(name: string, descriptor: GPURenderPassDescriptor): GPURenderPassEncoder {
    this.endPass();
    const timestampWrites = this.profile?.pass(name, 'render');
    return this.encoder.beginRenderPass({ label: name, ...descriptor, timestampWrites });
  }

  /** Ends the compute pass, so that the encoder can take copies or a render pass. */
  endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  /** Sets bytes of a buffer to zero; without a range, all of them. */
  clear(buffer: GPUBuffer, offset = 0, size?: number): void {
    this.endPass();
    this.encoder.clearBuffer(buffer, offset, size);
  }

  /** Copies bytes from one buffer to another. */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number): void {
    this.endPass();
    this.encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, size);
  }

  /** Puts a uniform block into an arena and returns its binding. */
  uniform(block: ArrayBuffer): GPUBufferBinding {
    const size = Math.ceil(block.byteLength / SLOT) * SLOT;
    let arena = this.arenas.at(-1);
    if (!arena || arena.used + size > arena.buffer.size) {
      const buffer = this.gpu.acquireUniformArena();
      if (size > buffer.size) throw new RangeError(`a uniform block of ${block.byteLength} bytes is too large`);
      arena = { buffer, blocks: new Uint8Array(Math.max(size, SLOT * 16)), used: 0 };
      this.arenas.push(arena);
    }
    const offset = arena.used;
    if (offset + size > arena.blocks.length) {
      const larger = new Uint8Array(Math.max(arena.blocks.length * 2, offset + size));
      larger.set(arena.blocks);
      arena.blocks = larger;
    }
    arena.blocks.set(new Uint8Array(block), offset);
    arena.used += size;
    return { buffer: arena.buffer, offset, size: Math.ceil(block.byteLength / 16) * 16 };
  }

  /** A pooled buffer for this batch alone, contents undefined. It goes back to the pool on submission. */
  scratch(bytes: number, label?: string): GPUBuffer {
    const buffer = this.gpu.acquire(bytes, label);
    this.onSubmit(() => this.gpu.release(buffer));
    return buffer;
  }

  /** Runs `action` once the batch has been submitted, such as giving pooled buffers back. */
  onSubmit(action: () => void): void {
    this.afterSubmit.push(action);
  }

  /** Submits everything recorded. Does not wait: use `gpu.sync()` or a read-back. */
  submit(): void {
    this.endPass();
    const { device } = this.gpu;
    const { queue } = device;
    this.profile?.resolve(this.encoder, device);
    for (const { buffer, blocks, used } of this.arenas) queue.writeBuffer(buffer, 0, blocks, 0, used);
    const commands = this.encoder.finish();
    const at = performance.now();
    queue.submit([commands]);
    this.profile?.submitted(this.label, at);
    for (const { buffer } of this.arenas) this.gpu.releaseUniformArena(buffer);
    for (const action of this.afterSubmit) action();
  }
}
