import type { GpuFigures as VendorFigures } from '../../health/figures.js';
import { defaultProbe, failuresOf, gpusOf } from '../../health/live.js';
import type { ValidationReport } from '../../health/validate.js';
import type { VendorProbe } from '../../health/vendorProbe.js';
import type { GpuFigures, HealthSource } from './healthSource.js';

/**
 * What `/health` and `/metrics` tell about the machine's GPUs: the facts that validation found, and live figures from
 * the vendors' interfaces.
 *
 * GPUs that no worker uses are shown, but do not decide on health: a machine that was told to work on the CPU is not
 * ill for its GPU.
 * @param reports one validation for each adapter in use
 */
export function gpuHealth(
  reports: readonly ValidationReport[],
  probe: Pick<VendorProbe, 'figures'> = defaultProbe(),
): HealthSource {
  const used = new Set(reports.filter((r) => r.mode === 'gpu').map((r) => r.adapter.vendor));
  const facts = { validation: reports.map(summary) };
  return {
    facts: () => facts,
    async live() {
      // The probe gives up within its own time-out, and several questions at once cost it no more than one.
      const answer = await probe.figures();
      const failures = [...used].flatMap((vendor) => failuresOf(answer, vendor));
      if (failures.length > 0) throw new Error([...new Set(failures)].join('; '));
      return gpusOf(answer).map((gpu, index) => figuresOf(gpu, index, used.has(gpu.vendor)));
    },
  };
}

function figuresOf(gpu: VendorFigures, index: number, used: boolean): GpuFigures {
  return {
    index,
    name: gpu.name,
    vendor: gpu.vendor,
    uuid: gpu.uuid,
    memoryTotalBytes: gpu.memory?.total,
    memoryUsedBytes: gpu.memory?.used,
    memoryFreeBytes: gpu.memory?.free,
    utilization: gpu.utilization,
    temperatureCelsius: gpu.temperature,
    powerWatts: gpu.power,
    powerLimitWatts: gpu.powerLimit,
    graphicsClockHertz: gpu.clocks?.graphics,
    memoryClockHertz: gpu.clocks?.memory,
    throttleReasons: gpu.throttleReasons,
    eccErrors: gpu.eccErrors?.uncorrected,
    lastXid: gpu.xidErrors?.codes.at(-1),
    error: used && gpu.state === 'unhealthy' ? gpu.reasons.join('; ') : undefined,
  };
}

function summary(report: ValidationReport): Record<string, unknown> {
  const { policy, mode, state, adapter, facts, selfTest, allocated, skipped, warnings, seconds } = report;
  const { device, vendor, kind, description } = adapter;
  return {
    policy,
    mode,
    state,
    adapter: { device, vendor, kind, description },
    gpu: facts,
    selfTest: { ok: selfTest.ok },
    allocatedBytes: allocated,
    skipped,
    warnings,
    seconds,
  };
}
