import { PlinthError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import { command, remedy } from '../../core/remedy.js';
import type { AdapterFacts } from './adapterFacts.js';
import { Batch } from './batch.js';
import type { Profiler } from './profiler.js';
import { GpuResources } from './resources.js';
import type { GpuHost } from './shader.js';

/**
 * A device with what Plinth needs around it: buffers from a pool, batches of kernels, read-back, and errors turned into
 * coded ones. One per process is enough. Call `dispose()` at the end.
 */
export class Gpu extends GpuResources {
  readonly adapter: AdapterFacts;
  private failure: PlinthError | undefined;
  private disposed = false;

  constructor(device: GPUDevice, adapter: AdapterFacts, host: GpuHost, profiler?: Profiler) {
    super(device, host, profiler);
    this.adapter = adapter;
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // it is reported by the next check(); Dawn would also write it to the standard error
      const error = (event as GPUUncapturedErrorEvent).error;
      this.fail(toGpuError(error));
    });
    void device.lost.then((info) => {
      if (this.disposed) return;
      this.fail(
        new PlinthError('GPU_DEVICE_LOST', {
          found: `The GPU device was lost: ${info.message || info.reason}`,
          remedy: remedy`Start the process again; if it happens again, run ${command('doctor')} and update the driver`,
        }),
      );
    });
  }

  private fail(error: PlinthError): void {
    // What follows the loss of a device says less than the loss itself.
    if (!this.failure || error.code === 'GPU_DEVICE_LOST') this.failure = error;
  }

  /** Throws the first error that the device has reported, if any. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /**
   * Forgets a reported error, so that work can be tried again at a smaller size after `GPU_OUT_OF_MEMORY`. A lost
   * device stays lost.
   */
  clearError(): void {
    if (this.failure?.code !== 'GPU_DEVICE_LOST') this.failure = undefined;
  }

  /** Starts a batch of commands that are submitted together. */
  batch(label?: string): Batch {
    return new Batch(this, label);
  }

  /** Records with `record`, submits, and does not wait. */
  run(record: (batch: Batch) => void, label?: string): void {
    const batch = this.batch(label);
    record(batch);
    batch.submit();
  }

  /** Copies a buffer back: `length` bytes from `offset`. Waits for all work submitted before. */
  async read(buffer: GPUBuffer, offset = 0, length: number = buffer.size - offset): Promise<ArrayBuffer> {
    this.check();
    const size = Math.ceil(length / 4) * 4;
    const staging = this.device.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      label: 'staging',
    });
    try {
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
      this.device.queue.submit([encoder.finish()]);
      await this.wait(staging.mapAsync(GPUMapMode.READ));
      return staging.getMappedRange().slice(0, length);
    } finally {
      staging.destroy();
    }
  }

  /** `count` elements (default: all) from byte `offset` of a buffer. */
  async readFloat32(buffer: GPUBuffer, count?: number, offset = 0): Promise<Float32Array> {
    return new Float32Array(await this.read(buffer, offset, count === undefined ? undefined : count * 4));
  }

  /** As `readFloat32`. */
  async readUint32(buffer: GPUBuffer, count?: number, offset = 0): Promise<Uint32Array> {
    return new Uint32Array(await this.read(buffer, offset, count === undefined ? undefined : count * 4));
  }

  /** As `readFloat32`. */
  async readInt32(buffer: GPUBuffer, count?: number, offset = 0): Promise<Int32Array> {
    return new Int32Array(await this.read(buffer, offset, count === undefined ? undefined : count * 4));
  }

  /** Waits until all submitted work is done; throws the coded error if any of it failed. */
  async sync(): Promise<void> {
    await this.wait(this.device.queue.onSubmittedWorkDone());
  }

  private async wait(promise: Promise<unknown>): Promise<void> {
    try {
      await promise;
    } catch (error) {
      // The cause arrives as an uncaptured error or as device loss; give those events their turn.
      await pause();
      this.check();
      throw toGpuError(error);
    }
    this.check();
  }

  /** Destroys the device. The object cannot be used afterwards. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.freeAll();
    this.device.destroy();
  }
}

function toGpuError(error: unknown): PlinthError {
  if (error instanceof PlinthError) return error;
  const said =
    error instanceof Error || (typeof error === 'object' && error && 'message' in error)
      ? String((error as Error).message)
      : String(error);
  const name = (error as object | undefined)?.constructor?.name ?? '';
  const message = said
    .split('\n')
    .filter((line) => !/^\s+at /.test(line)) // places in the driver layer's own source
    .join(' ')
    .trim();
  if (name === 'GPUOutOfMemoryError' || /out of memory/i.test(message)) {
    return new PlinthError('GPU_OUT_OF_MEMORY', {
      found: `The GPU ran out of memory: ${message}`,
      remedy: 'Use a smaller preset or resolution, or close other programs that use the GPU',
      cause: error,
    });
  }
  return new PlinthError('GPU_VALIDATION', { found: `The GPU refused a command: ${message}`, cause: error });
}
