import { listAdapters } from '../../gpu/adapter/adapter.js';
import { diagnose, formatDiagnosis } from '../../gpu/doctor/doctor.js';
import { installSoftwareDriver } from '../../gpu/driver/softwareDriver.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';
import { listMethods } from '../../methods/registry.js';
import { NETWORK_CHECKS } from '../../nn/selfTest.js';
import { unavailable } from '../../pipeline/availability.js';
import { emit } from '../terminal.js';
import { CLI_WORDS } from '../words.js';

/** Whether a method can run here, and why not. */
interface MethodReadiness {
  name: string;
  ready: boolean;
  reason?: string;
  code?: string;
}

async function methodReadiness(adapter: AdapterFacts | undefined): Promise<MethodReadiness[]> {
  return await Promise.all(
    listMethods().map(async (method) => {
      const refusal = await unavailable(method, { adapter });
      const why = refusal && { code: refusal.code, reason: refusal.inWords(CLI_WORDS) };
      return { name: method.name, ready: refusal === undefined, ...why };
    }),
  );
}

/** A method that lacks weights is no fault of the machine: most machines will never have them. */
const methodLines = (methods: readonly MethodReadiness[]): string =>
  ['Methods', ...methods.map(({ name, reason }) => `  ${name.padEnd(12)} ${reason ?? 'ready'}`)].join('\n');

export async function runDoctor(options: { fix?: boolean; adapterOnly?: boolean; json?: boolean }): Promise<void> {
  const log = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  if (options.adapterOnly) {
    let adapters = await listAdapters();
    if (adapters.length === 0 && options.fix) {
      await installSoftwareDriver(log);
      adapters = await listAdapters();
    }
    for (const adapter of adapters) process.stdout.write(`${adapter.device} (${adapter.kind})\n`);
    if (adapters.length === 0) process.exitCode = 4;
    return;
  }
  const diagnosis = await diagnose({ fix: options.fix ?? false, log, extraChecks: NETWORK_CHECKS });
  const methods = await methodReadiness(diagnosis.adapters.find(({ index }) => index === diagnosis.chosen));
  if (options.json) emit({ ...diagnosis, methods });
  else process.stdout.write(`${formatDiagnosis(diagnosis, CLI_WORDS)}\n\n${methodLines(methods)}\n`);
  if (!diagnosis.healthy) process.exitCode = 4;
}
