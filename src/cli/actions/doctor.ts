import { listAdapters } from '../../gpu/adapter/adapter.js';
import { diagnose, formatDiagnosis } from '../../gpu/doctor/doctor.js';
import { installSoftwareDriver } from '../../gpu/driver/softwareDriver.js';
import { NETWORK_CHECKS } from '../../nn/selfTest.js';
import { emit } from '../terminal.js';
import { CLI_WORDS } from '../words.js';

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
  if (options.json) emit(diagnosis as unknown as Record<string, unknown>);
  else process.stdout.write(`${formatDiagnosis(diagnosis, CLI_WORDS)}\n`);
  if (!diagnosis.healthy) process.exitCode = 4;
}
