import { type Failure, toFailure } from '../../core/errors.js';
import { openGpu } from '../../gpu/adapter/openGpu.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { LATE_REMEDY } from '../../gpu/selfTest/selfTest.js';
import { readinessProbe } from '../../health/readiness.js';
import { readAnyCapture } from '../../photos/readAnyCapture.js';
import { reconstruct } from '../../pipeline/reconstruct.js';
import type { Engine, ProbeReport } from './engine.js';
import { runTask } from './runTask.js';

let probeGpu: Gpu | undefined;

function closeProbe(): void {
  probeGpu?.dispose();
  probeGpu = undefined;
}

/** Plinth's own engine: reads the capture once and runs `reconstruct()` for every method of the job. */
export const engine: Engine = {
  async describe(adapter) {
    probeGpu ??= await openGpu({ adapter });
    const { features: _, limits, ...facts } = probeGpu.adapter;
    return { ...facts, maxBufferBytes: limits.maxStorageBufferBindingSize };
  },

  async probe(adapter): Promise<ProbeReport> {
    const begin = performance.now();
    try {
      probeGpu ??= await openGpu({ adapter });
      const { ok, late, seconds, message } = await readinessProbe(probeGpu);
      if (ok) return { ok, seconds, adapter: probeGpu.adapter.device };
      // A device that hangs is kept: it is asked once, and its answer ends the waiting.
      if (!late) closeProbe();
      const failure: Failure = late
        ? { code: 'GPU_NO_ANSWER', message, remedy: LATE_REMEDY }
        : { code: 'GPU_SELF_TEST_FAILED', message, remedy: 'Update the driver; the device may be damaged' };
      return { ok, seconds, failure };
    } catch (error) {
      closeProbe();
      return { ok: false, seconds: (performance.now() - begin) / 1000, failure: toFailure(error) };
    }
  },

  run: (task, hooks) => runTask(task, hooks, { read: readAnyCapture, reconstruct }),
};
