import type { Logger, Warning } from '../core/context.js';
import { silentLogger } from '../core/context.js';
import { PlinthError, toPlinthError } from '../core/errors.js';
import { anyOf, command, option, remedy, setting, step } from '../core/remedy.js';
import { listAdapters, matchAdapter } from '../gpu/adapter/adapter.js';
import { openGpu } from '../gpu/adapter/openGpu.js';
import { type MachineFacts, machineFacts } from '../gpu/adapter/system.js';
import type { AdapterFacts } from '../gpu/runtime/adapterFacts.js';
import type { Gpu } from '../gpu/runtime/gpu.js';
import { assertSelfTest, runSelfTest, type SelfTestReport } from '../gpu/selfTest/selfTest.js';
import { checkAllocation } from './allocation.js';
import type { GpuFacts } from './figures.js';
import { defaultProbe, failuresOf, type LiveFigures, liveFigures } from './live.js';
import { allowedHardware, checkMemory, factsOf, type GpuPolicy, type GpuSituation, softwareAllowed } from './policy.js';
import type { VendorAnswer, VendorProbe } from './vendorProbe.js';

export interface ValidationReport {
  policy: GpuPolicy;
  /** What work runs on. */
  mode: 'gpu' | 'software';
  adapter: AdapterFacts;
  /** What the vendors' interfaces say about all GPUs, asked once. */
  vendors: VendorAnswer<GpuFacts>;
  /** What they say about the adapter. */
  facts?: GpuFacts;
  /**
   * State of the GPUs of the adapter's vendor; `unknown` where no interface answers for them, as for the software
   * adapter.
   */
  state: LiveFigures['state'];
  selfTest: SelfTestReport;
  /** Bytes that were allocated; 0 where that was skipped. */
  allocated: number;
  skipped: ('allocation' | 'full-self-test')[];
  /** What the operator should know; each was also logged. */
  warnings: Warning[];
  seconds: number;
}

export interface ValidationOptions {
  log?: Logger;
  signal?: AbortSignal;
  probe?: VendorProbe;
  /** Bytes to allocate for real. Default: 1 GiB on a GPU, 256 MiB on the software adapter. */
  workingMemory?: number;
  /** Stand-ins for this machine, for tests. */
  machine?: MachineFacts;
  adapters?: readonly AdapterFacts[];
  open?: (adapter: AdapterFacts) => Promise<Gpu>;
}

type Checked = Pick<ValidationReport, 'mode' | 'state' | 'adapter' | 'facts' | 'selfTest' | 'allocated' | 'skipped'>;

/**
 * Holds this machine against the policy before any work is taken: adapter, vendor, memory, features and limits, the
 * vendor's own view of the GPU, an allocation and the numeric self-test.
 *
 * @throws with `required` the first violation: `GPU_REQUIRED_MISSING`, `GPU_VENDOR_REFUSED`, `GPU_MEMORY_TOO_SMALL`,
 * `GPU_UNHEALTHY`, `GPU_LIMIT_TOO_LOW`, `GPU_ALLOCATION_FAILED`, `GPU_SELF_TEST_FAILED`, `GPU_NO_ANSWER`.
 * Otherwise only where the software adapter is not fit or not allowed either: `GPU_SOFTWARE_REFUSED`, `GPU_NO_ADAPTER`
 * or one of the above.
 */
export async function validateGpu(policy: GpuPolicy, options: ValidationOptions = {}): Promise<ValidationReport> {
  const start = performance.now();
  const { log = silentLogger, probe = defaultProbe() } = options;
  const warnings: Warning[] = [];
  const warn = (warning: Warning): void => {
    warnings.push(warning);
    log.warn({ code: warning.code, remedy: warning.remedy }, warning.message);
  };
  const situation: GpuSituation = {
    machine: options.machine ?? machineFacts(),
    adapters: options.adapters ?? (await listAdapters()),
    vendors: await probe.facts(),
  };
  if (policy.skipSlowChecks) {
    warn({
      code: 'SLOW_CHECKS_SKIPPED',
      message: 'The allocation check and the full self-test are skipped, as the configuration says',
    });
  }
  let checked: Checked | undefined;
  if (policy.gpu !== 'off') {
    try {
      checked = await onHardware(policy, situation, probe, options, warn);
    } catch (error) {
      const violation = toPlinthError(error);
      const substitute = violation.code !== 'CANCELLED' && softwareAllowed(policy);
      // With `required` the software adapter stands in for a GPU that is not there, not for one that fails.
      if (!substitute || (policy.gpu === 'required' && violation.code !== 'GPU_REQUIRED_MISSING')) throw violation;
      warn({
        code: violation.code,
        message: `NO GPU IN USE: ${violation.found}. Work runs on the CPU, many times slower`,
        remedy: violation.remedy,
      });
    }
  }
  checked ??= await onSoftware(policy, situation, options);
  const seconds = (performance.now() - start) / 1000;
  log.info(
    { adapter: checked.adapter.device, mode: checked.mode, state: checked.state, seconds },
    `GPU validation passed: ${checked.adapter.device}`,
  );
  return { policy, ...checked, vendors: situation.vendors, warnings, seconds };
}

async function onHardware(
  policy: GpuPolicy,
  situation: GpuSituation,
  probe: VendorProbe,
  options: ValidationOptions,
  warn: (warning: Warning) => void,
): Promise<Checked> {
  const allowed = allowedHardware(policy, situation);
  const adapter = matchAdapter(policy.adapter ?? 'auto', allowed);
  if (!adapter) {
    throw new PlinthError('GPU_ADAPTER_NOT_MATCHED', {
      found:
        `No GPU matches "${policy.adapter}"; there are ` +
        `${allowed.map((a) => `${a.index}: ${a.device}`).join(', ')}`,
      remedy: remedy`Correct ${option('adapter')}`,
    });
  }
  checkMemory(policy, adapter, situation);
  const { state, reasons } = await liveFigures({ probe, vendor: adapter.vendor });
  if (state === 'unhealthy') {
    throw new PlinthError('GPU_UNHEALTHY', {
      found: `The vendor's management interface reports: ${reasons.join('; ')}`,
      expected: 'a GPU without errors of memory, driver or hardware',
      remedy: 'Restart the machine or reset the GPU; if the report stays, have the GPU replaced, or use another',
      subject: adapter.device,
    });
  }
  if (state === 'unknown') {
    warn({
      code: 'GPU_STATE_UNKNOWN',
      message: `${adapter.device} has no management interface here: its memory, temperature and errors are unknown`,
    });
  }
  return { mode: 'gpu', state, facts: factsOf(adapter, situation), ...(await exercise(policy, adapter, options)) };
}

async function onSoftware(policy: GpuPolicy, situation: GpuSituation, options: ValidationOptions): Promise<Checked> {
  if (!softwareAllowed(policy)) {
    throw new PlinthError('GPU_SOFTWARE_REFUSED', {
      found: 'The policy leaves the software adapter alone, and does not allow it',
      expected: 'a GPU, or leave to use the software adapter',
      remedy: anyOf(step`set ${setting('gpu.allowSoftware', 'true')}`, step`set ${setting('gpu.policy', 'required')}`),
    });
  }
  const adapter = situation.adapters.find((a) => a.kind === 'software');
  // What is demanded of a GPU that is required is demanded of what stands in for it.
  if (adapter && policy.gpu === 'required') checkMemory(policy, adapter, situation);
  if (!adapter) {
    throw new PlinthError('GPU_NO_ADAPTER', {
      found: `No software adapter answers${failuresOf(situation.vendors)
        .map((f) => `; ${f}`)
        .join('')}`,
      expected: 'the software driver (Mesa 24 or newer)',
      remedy: remedy`Run ${command('doctor --fix')}: it sets up a software driver without root`,
    });
  }
  return { mode: 'software', state: 'unknown', ...(await exercise(policy, adapter, options)) };
}

/** Opens the device, which checks features and limits, and puts it to work. */
async function exercise(
  policy: GpuPolicy,
  adapter: AdapterFacts,
  options: ValidationOptions,
): Promise<Pick<Checked, 'adapter' | 'selfTest' | 'allocated' | 'skipped'>> {
  const quick = policy.skipSlowChecks ?? false;
  const working = options.workingMemory ?? (adapter.kind === 'software' ? 2 ** 28 : 2 ** 30);
  const gpu = await (options.open ?? ((a) => openGpu({ adapter: a.index })))(adapter);
  try {
    if (!quick) await checkAllocation(gpu, working);
    const selfTest = await runSelfTest(gpu, { quick, signal: options.signal });
    assertSelfTest(selfTest);
    return {
      adapter,
      selfTest,
      allocated: quick ? 0 : working,
      skipped: quick ? ['allocation', 'full-self-test'] : [],
    };
  } finally {
    gpu.dispose();
  }
}
