import { PlinthError } from '../core/errors.js';
import type { Gpu } from '../gpu/runtime/gpu.js';

const CHUNK = 128 * 2 ** 20;

/**
 * Allocates `bytes` on the GPU for real, in pieces as methods do, writes a mark into both ends of each and reads all
 * marks back while all pieces exist. Everything is freed again.
 * @throws `GPU_ALLOCATION_FAILED` with how much could be had.
 */
export async function checkAllocation(gpu: Gpu, bytes: number): Promise<void> {
  const buffers: GPUBuffer[] = [];
  const got = (): number => buffers.reduce((sum, b) => sum + b.size, 0);
  const fail = (cause: string, error?: unknown): PlinthError =>
    new PlinthError('GPU_ALLOCATION_FAILED', {
      found: `${gpu.adapter.device} gave ${mebibytes(got())} of memory, then: ${cause}`,
      expected: `${mebibytes(bytes)} of free GPU memory, as the methods need`,
      remedy: 'End other programs that use the GPU, or use one with more memory',
      subject: gpu.adapter.device,
      cause: error,
    });
  try {
    while (got() < bytes) {
      const size = Math.min(CHUNK, bytes - got(), gpu.limits.maxBufferSize);
      gpu.device.pushErrorScope('out-of-memory');
      const buffer = gpu.createBuffer(size, 'allocation check');
      gpu.run((batch) => batch.clear(buffer)); // drivers hand out memory at its first use
      const error = await gpu.device.popErrorScope();
      if (error) {
        buffer.destroy();
        throw fail(error.message.split('\n')[0], error);
      }
      buffers.push(buffer);
      await gpu.sync();
    }
    for (const [i, buffer] of buffers.entries()) {
      gpu.write(buffer, new Uint32Array([i + 1]), 0);
      gpu.write(buffer, new Uint32Array([~i]), buffer.size - 4);
    }
    for (const [i, buffer] of buffers.entries()) {
      const [first] = await gpu.readUint32(buffer, 1);
      const [last] = await gpu.readUint32(buffer, 1, buffer.size - 4);
      if (first !== i + 1 || last !== ~i >>> 0) throw fail('memory does not keep what was written to it');
    }
  } catch (error) {
    if (error instanceof PlinthError && error.code === 'GPU_ALLOCATION_FAILED') throw error;
    throw fail((error as Error).message, error);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

const mebibytes = (n: number): string => `${Math.round(n / 2 ** 20)} MiB`;
