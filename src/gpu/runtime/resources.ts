import { PlinthError } from '../../core/errors.js';
import type { Profiler } from './profiler.js';
import { type GpuHost, loadShader } from './shader.js';

/** What can be sent to a buffer. */
export type TypedArray = Float32Array | Uint32Array | Int32Array | Uint8Array | Uint8ClampedArray | Uint16Array;

/**
 * What recorded work needs of a device: its limits and features, buffers from a pool, and whatever is made once per
 * device. `Gpu` adds submission and read-back; a batch hands out this part alone, since nothing can be read while it is
 * being recorded.
 */
export class GpuResources {
  readonly device: GPUDevice;
  readonly host: GpuHost;
  /** Keeps the times of all work, where `openGpu` was asked for it. */
  readonly profiler: Profiler | undefined;
  /** Bytes in buffers created through this object and not destroyed. */
  bytesInUse = 0;
  /** The greatest value that `bytesInUse` had. */
  peakBytes = 0;
  private readonly pool = new Map<string, GPUBuffer[]>();
  private readonly arenas: GPUBuffer[] = [];
  private readonly caches = new Map<unknown, unknown>();

  constructor(device: GPUDevice, host: GpuHost, profiler?: Profiler) {
    this.device = device;
    this.profiler = profiler;
    this.host = host;
  }

  /** Whether the device has an optional feature of WebGPU. */
  has(feature: string): boolean {
    return this.device.features.has(feature as GPUFeatureName);
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** A value made once per device, such as a compiled pipeline. */
  cached<T>(key: unknown, make: () => T): T {
    if (!this.caches.has(key)) this.caches.set(key, make());
    return this.caches.get(key) as T;
  }

  /** A shader file, as `loadShader` reads it, compiled. */
  shaderModule(url: URL, label: string, defines?: Record<string, number>): GPUShaderModule {
    return this.device.createShaderModule({ label, code: loadShader(this.host, url, defines) });
  }

  /**
   * A storage buffer (also copy source and destination) of at least `bytes`, zero-filled. Free it with `destroy()`.
   * @throws `GPU_LIMIT_TOO_LOW` above the device's buffer limit.
   */
  createBuffer(bytes: number, label = 'buffer', usage: number = STORAGE_USAGE): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (size > this.limits.maxBufferSize) {
      throw new PlinthError('GPU_LIMIT_TOO_LOW', {
        found: `Buffer "${label}" needs ${size} bytes; the device allows ${this.limits.maxBufferSize}`,
        remedy: 'Use a smaller preset or resolution',
      });
    }
    const buffer = this.device.createBuffer({ size, usage, label });
    this.account(size);
    const destroy = buffer.destroy.bind(buffer);
    let alive = true;
    buffer.destroy = () => {
      if (alive) this.account(-size);
      alive = false;
      return destroy();
    };
    return buffer;
  }

  private account(bytes: number): void {
    this.bytesInUse += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytesInUse);
  }

  /** A buffer from the pool, contents undefined. Give it back with `release`. */
  acquire(bytes: number, label = 'pooled'): GPUBuffer {
    const size = poolSize(bytes);
    const free = this.pool.get(String(size));
    return free?.pop() ?? this.createBuffer(size, label);
  }

  /** Gives buffers back to the pool; they may be handed out again for work submitted later. */
  release(...buffers: GPUBuffer[]): void {
    for (const buffer of buffers) {
      const key = String(buffer.size);
      const list = this.pool.get(key);
      if (list) list.push(buffer);
      else this.pool.set(key, [buffer]);
    }
  }

  /** A uniform buffer for one batch. Work on the queue is ordered, so it can be reused right after the submission. */
  acquireUniformArena(): GPUBuffer {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    return this.arenas.pop() ?? this.device.createBuffer({ size: 1 << 20, usage, label: 'uniforms' });
  }

  /** Gives a batch's buffer of uniforms back for the next one. */
  releaseUniformArena(buffer: GPUBuffer): void {
    this.arenas.push(buffer);
  }

  /** Destroys all pooled buffers that nobody holds. */
  trim(): void {
    for (const list of this.pool.values()) for (const buffer of list) buffer.destroy();
    this.pool.clear();
  }

  /** A storage buffer with the array's contents. */
  upload(data: TypedArray, label = 'upload', usage: number = STORAGE_USAGE): GPUBuffer {
    const buffer = this.createBuffer(data.byteLength, label, usage);
    this.write(buffer, data);
    return buffer;
  }

  /**
   * Writes an array into a buffer at a byte offset (multiple of 4). A length that is no multiple of 4 bytes is padded
   * with zeros.
   */
  write(buffer: GPUBuffer, data: TypedArray, offset = 0): void {
    const rest = data.byteLength % 4;
    if (rest === 0) {
      this.device.queue.writeBuffer(buffer, offset, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
      return;
    }
    const padded = new Uint8Array(data.byteLength + 4 - rest);
    padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.device.queue.writeBuffer(buffer, offset, padded);
  }

  /** Destroys pooled buffers and forgets what was made once. */
  protected freeAll(): void {
    this.trim();
    this.caches.clear();
  }
}

export const STORAGE_USAGE = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC

/** Pool sizes step by an eighth of a power of two, so that at most 12.5 % is wasted. */
function poolSize(bytes: number): number {
  const wanted = Math.max(256, bytes);
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(wanted)) - 3));
  return Math.ceil(wanted / step) * step;
}
