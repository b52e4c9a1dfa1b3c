import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { VendorProbe, type VendorProbeOptions } from '../src/health/vendorProbe.js';

export interface StubNvml {
  /** A probe of the compiled stand-in with these settings (see `nvml.c`) and, unless given, without GPUs in sysfs. */
  probe(settings?: Record<string, string>, options?: VendorProbeOptions): VendorProbe;
  /** A folder for this test file. */
  folder(): string;
  /** While this file exists the functions named by `STUB_HANG` do not return. */
  hangFile(): string;
}

/** Compiles the stand-in library for the tests of one file, and ends every probe after each test. */
export function useStubNvml(): StubNvml {
  let folder = '';
  const probes: VendorProbe[] = [];
  const set: string[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'plinth-nvml-'));
    const source = fileURLToPath(new URL('../src/health/testing/nvml.c', import.meta.url));
    execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-o', join(folder, 'libnvidia-ml.so.1'), source]);
    writeFileSync(join(folder, 'hang'), '');
  });
  afterEach(() => {
    for (const probe of probes.splice(0)) probe.close();
    for (const name of set.splice(0)) delete process.env[name];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    probe(settings = {}, options = {}) {
      for (const [name, value] of Object.entries({ STUB_HANG_FILE: join(folder, 'hang'), ...settings })) {
        process.env[name] = value;
        set.push(name);
      }
      const all = {
        nvml: join(folder, 'libnvidia-ml.so.1'),
        sysfs: join(folder, 'no-sysfs'),
        timeout: 200,
        ...options,
      };
      const probe = new VendorProbe(all);
      probes.push(probe);
      return probe;
    },
    folder: () => folder,
    hangFile: () => join(folder, 'hang'),
  };
}
