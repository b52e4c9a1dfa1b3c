import { pause } from '../../core/pause.js';
import type { Batch } from '../../gpu/runtime/batch.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';

/** Staging buffers for reading results back while later work is already under way; buffers are used again. */
export class ReadbackRing {
  private readonly gpu: Gpu;
  private readonly free = new Map<number, GPUBuffer[]>();

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** Records a copy of `bytes` from a buffer. Call the result after the batch's submission: it gives the bytes. */
  copyBuffer(batch: Batch, source: GPUBuffer, bytes: number): () => Promise<ArrayBuffer> {
    const staging = this.take(Math.ceil(bytes / 4) * 4);
    batch.copy(source, 0, staging, 0, staging.size);
    return () => this.map(staging, (range) => range.slice(0, bytes));
  }

  /** Records a copy of level 0 of a 2-D texture; the bytes come without the padding between rows. */
  copyTexture(
    batch: Batch,
    texture: GPUTexture,
    width: number,
    height: number,
    bytesPerPixel: number,
  ): () => Promise<ArrayBuffer> {
    const row = width * bytesPerPixel;
    const bytesPerRow = Math.ceil(row / 256) * 256;
    const staging = this.take(bytesPerRow * height);
    batch.endPass();
    batch.encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow }, [width, height]);
    return () =>
      this.map(staging, (range) => {
        const out = new Uint8Array(row * height);
        for (let y = 0; y < height; y++) out.set(new Uint8Array(range, y * bytesPerRow, row), y * row);
        return out.buffer;
      });
  }

  dispose(): void {
    for (const list of this.free.values()) for (const buffer of list) buffer.destroy();
    this.free.clear();
  }

  private take(size: number): GPUBuffer {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    return this.free.get(size)?.pop() ?? this.gpu.device.createBuffer({ size, usage, label: 'readback' });
  }

  private async map(staging: GPUBuffer, read: (range: ArrayBuffer) => ArrayBuffer): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (error) {
      staging.destroy();
      // The cause arrives as an uncaptured error or as device loss; give those events their turn.
      await pause();
      this.gpu.check();
      throw error;
    }
    const bytes = read(staging.getMappedRange());
    staging.unmap();
    const list = this.free.get(staging.size);
    if (list) list.push(staging);
    else this.free.set(staging.size, [staging]);
    this.gpu.check();
    return bytes;
  }
}
