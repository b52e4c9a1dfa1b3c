import { toPlinthError } from '../../core/errors.js';
import { LIBRARY_WORDS, type RemedyWords, wordRemedy } from '../../core/remedy.js';
import { listAdapters, matchAdapter } from '../adapter/adapter.js';
import { openGpu } from '../adapter/openGpu.js';
import { type MachineFacts, machineFacts } from '../adapter/system.js';
import { installedSoftwareDriver, installSoftwareDriver } from '../driver/softwareDriver.js';
import type { AdapterFacts } from '../runtime/adapterFacts.js';
import { runSelfTest, type SelfTestReport } from '../selfTest/selfTest.js';
import type { CheckWork } from '../selfTest/selfTestCheck.js';
import { type Finding, findings, mesaVersion } from './findings.js';

/** How thoroughly a machine is looked at. */
export interface DiagnoseOptions {
  /** Set up the software driver where no adapter answers or the one there is too old. Default false. */
  fix?: boolean;
  /** Receives a line for each step that takes time. */
  log?: (line: string) => void;
  /** Skip the self-test. Default false. */
  skipSelfTest?: boolean;
  /**
   * Further checks of the self-test.
   * @internal
   */
  extraChecks?: readonly CheckWork[];
}

/** Everything about this machine that matters for GPU work. Plain data, so that it can be printed as JSON. */
export interface Diagnosis {
  /** An adapter answers and passes the self-test. */
  healthy: boolean;
  machine: MachineFacts;
  adapters: AdapterFacts[];
  /** Index of the adapter that `auto`, or the environment variable `PLINTH_ADAPTER`, takes. */
  chosen?: number;
  drivers: {
    /** Version of Mesa behind one of the adapters. */
    mesa?: string;
    nvidia?: string;
    /** Mesa version of the software driver in Plinth's cache folder. */
    plinthSoftware?: string;
  };
  selfTest?: SelfTestReport;
  findings: Finding[];
  /** What `fix` did. */
  fixed: string[];
}

/**
 * Looks at the machine, and with `fix` sets up the software driver. Never throws for what it finds: that is in
 * `findings`.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const { fix = false, log = () => {}, skipSelfTest = false } = options;
  const fixed: string[] = [];
  const failures: Finding[] = [];
  log('looking for adapters …');
  const machine = machineFacts();
  let adapters = await listAdapters().catch((error: unknown) => {
    const { found, remedy } = toPlinthError(error);
    failures.push({ code: 'no-runtime', severity: 'error', message: found, remedy });
    return [];
  });
  const broken = findings({ machine, adapters }).some((f) => f.code === 'no-adapter' || f.code === 'mesa-too-old');
  if (fix && broken && failures.length === 0) {
    try {
      // A driver that is there and still does not answer is damaged in a way that its manifest does not show.
      const again = installedSoftwareDriver() !== undefined;
      const version = await installSoftwareDriver(log, { force: again });
      fixed.push(`${again ? 'Reinstalled' : 'Installed'} the software Vulkan driver, Mesa ${version}`);
      adapters = await listAdapters();
    } catch (error) {
      const { message, found, remedy } = toPlinthError(error);
      failures.push({ code: 'driver-setup-failed', severity: 'error', message: found || message, remedy });
    }
  }
  const chosen = matchAdapter(process.env.PLINTH_ADAPTER || 'auto', adapters);
  let selfTest: SelfTestReport | undefined;
  let openError: string | undefined;
  if (chosen && !skipSelfTest) {
    log(`testing ${chosen.device} …`);
    try {
      const gpu = await openGpu({ adapter: chosen.index });
      selfTest = await runSelfTest(gpu, { extra: options.extraChecks }).finally(() => gpu.dispose());
    } catch (error) {
      openError = toPlinthError(error).message;
    }
  }
  const all = [...failures, ...findings({ machine, adapters, selfTest, openError })];
  if (adapters.length > 0 && !chosen) {
    all.unshift({
      code: 'adapter-not-matched',
      severity: 'error',
      message: `No adapter matches PLINTH_ADAPTER=${process.env.PLINTH_ADAPTER}`,
      remedy: 'Set it to auto, discrete, integrated, software, an index or a part of a device name',
    });
  }
  return {
    healthy: chosen !== undefined && !all.some((f) => f.severity === 'error'),
    machine,
    adapters,
    chosen: chosen?.index,
    drivers: {
      mesa: adapters.map(mesaVersion).find((v) => v !== undefined),
      nvidia: machine.nvidiaDriver,
      plinthSoftware: installedSoftwareDriver()?.version,
    },
    selfTest,
    findings: all,
    fixed,
  };
}

const SHOWN_FEATURES = ['subgroups', 'shader-f16', 'timestamp-query', 'float32-filterable', 'primitive-index'];

/** The diagnosis as text for a terminal, lines without colours. */
export function formatDiagnosis(diagnosis: Diagnosis, words: RemedyWords = LIBRARY_WORDS): string {
  const { machine, adapters, drivers, selfTest } = diagnosis;
  const lines: string[] = [];
  const section = (title: string): number => lines.push('', title);
  const row = (name: string, value: string): number => lines.push(`  ${name.padEnd(14)} ${value}`);

  lines.push('Machine');
  row('system', `${machine.system}, ${machine.architecture}, kernel ${machine.kernel}`);
  row('processor', `${machine.cpu}, ${machine.cores} cores`);
  row('memory', `${bytes(machine.memory)}, ${bytes(machine.freeMemory)} free`);
  row('node', `${machine.node}${machine.glibc ? `, glibc ${machine.glibc}` : ''}`);
  if (machine.container) row('container', 'yes');

  section('Drivers');
  if (drivers.nvidia) row('NVIDIA', drivers.nvidia);
  if (drivers.mesa) row('Mesa', drivers.mesa);
  if (drivers.plinthSoftware) row('software', `Mesa ${drivers.plinthSoftware}, in Plinth's cache folder`);
  if (!drivers.nvidia && !drivers.mesa && !drivers.plinthSoftware) {
    lines.push(machine.platform === 'linux' ? '  none found' : "  the system's own");
  }

  section('Adapters');
  if (adapters.length === 0) lines.push('  none');
  for (const adapter of adapters) {
    lines.push(`${adapter.index === diagnosis.chosen ? '→' : ' '} ${adapter.index}: ${adapter.device}`);
    row('  kind', `${adapter.kind}, ${adapter.vendor}, ${adapter.backend}`);
    if (adapter.memory) row('  memory', bytes(adapter.memory));
    if (adapter.description) row('  driver', adapter.description);
    const { maxBufferSize, maxStorageBufferBindingSize, maxTextureDimension2D } = adapter.limits;
    row(
      '  limits',
      `buffer ${bytes(maxBufferSize)}, binding ${bytes(maxStorageBufferBindingSize)}, texture ` +
        `${maxTextureDimension2D}²`,
    );
    const has = SHOWN_FEATURES.filter((f) => adapter.features.includes(f));
    const lacks = SHOWN_FEATURES.filter((f) => !adapter.features.includes(f));
    row('  features', `${has.join(', ') || 'none'}${lacks.length > 0 ? ` (without ${lacks.join(', ')})` : ''}`);
  }

  if (selfTest) {
    section('Self-test');
    for (const check of selfTest.checks) {
      lines.push(`  ${check.ok ? '✓' : '✗'} ${check.name.padEnd(14)} ${check.message} (${check.seconds.toFixed(2)} s)`);
    }
  }
  if (diagnosis.fixed.length > 0) {
    section('Done');
    for (const text of diagnosis.fixed) lines.push(`  ${text}`);
  }
  if (diagnosis.findings.length > 0) {
    section('Findings');
    for (const { severity, message, remedy } of diagnosis.findings) {
      lines.push(`  ${severity}: ${message}`);
      if (remedy) lines.push(`    → ${wordRemedy(remedy, words)}`);
    }
  }
  lines.push('', diagnosis.healthy ? 'Ready: this machine can run Plinth.' : 'Not ready: see the errors above.');
  return lines.join('\n');
}

function bytes(n: number): string {
  if (n >= 2 ** 30) return `${(n / 2 ** 30).toFixed(1)} GiB`;
  return `${Math.round(n / 2 ** 20)} MiB`;
}
