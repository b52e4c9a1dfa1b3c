import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LIBRARY_WORDS, wordRemedy } from '../../core/remedy.js';
import { type MachineFacts, machineFacts } from '../adapter/system.js';
import type { AdapterFacts } from '../runtime/adapterFacts.js';
import { diagnose, formatDiagnosis } from './doctor.js';
import { type Finding, findings, mesaVersion } from './findings.js';

const machine: MachineFacts = {
  platform: 'linux',
  system: 'Debian GNU/Linux 13 (trixie)',
  kernel: '6.12',
  architecture: 'x64',
  cpu: 'A CPU',
  cores: 8,
  memory: 32 * 2 ** 30,
  freeMemory: 2 ** 30,
  node: '24.1.0',
  glibc: '2.41',
  container: false,
  pciGpus: [],
  nvidiaVulkan: false,
  nvidiaDevice: false,
  renderNodes: [],
};

const adapter = (changes: Partial<AdapterFacts> = {}): AdapterFacts => ({
  index: 0,
  kind: 'discrete',
  vendor: 'nvidia',
  architecture: '',
  device: 'NVIDIA L4',
  description: '',
  backend: 'vulkan',
  features: [],
  limits: {},
  ...changes,
});

const software = adapter({
  kind: 'software',
  vendor: 'mesa',
  device: 'llvmpipe (LLVM 19)',
  description: 'llvmpipe: Mesa 25.0.7-2 (LLVM 19)',
});

const nvidia = { pciGpus: [{ vendor: 'nvidia', address: '0000:01:00.0' }] };
const judge = (facts: Partial<MachineFacts>, adapters: AdapterFacts[] = [software]): Finding[] =>
  findings({ machine: { ...machine, ...facts }, adapters });
const codes = (list: Finding[]): string[] => list.map((f) => f.code);

describe('findings', () => {
  it('are none on a machine with a working GPU, and a note on one without', () => {
    expect(judge(nvidia, [adapter()])).toEqual([]);
    expect(judge({})).toEqual([expect.objectContaining({ code: 'software-only', severity: 'note' })]);
  });

  it('name the driver, the device, the container toolkit or the capability that an NVIDIA GPU lacks', () => {
    const loaded = { ...nvidia, nvidiaDriver: '550.54' };
    const remedy = (facts: Partial<MachineFacts>): string => {
      const [first] = judge(facts);
      return `${first.code}: ${first.remedy}`;
    };
    expect(remedy(nvidia)).toMatch(/^nvidia-driver-missing: Install the driver/);
    expect(remedy(loaded)).toMatch(/^nvidia-device-missing: .*nvidia-modprobe/);
    expect(remedy({ ...loaded, container: true })).toMatch(/^nvidia-device-missing: .*Container Toolkit.*--gpus all/);
    expect(remedy({ ...loaded, nvidiaDevice: true })).toMatch(/^nvidia-vulkan-missing: .*libvulkan1/);
    expect(remedy({ ...loaded, nvidiaDevice: true, container: true })).toMatch(
      /^nvidia-container-capabilities: .*compute,utility,graphics/,
    );
  });

  it('name what a GPU of AMD or Intel lacks', () => {
    const amd = { pciGpus: [{ vendor: 'amd', address: '0000:03:00.0' }] };
    expect(codes(judge(amd))).toContain('amd-device-missing');
    expect(judge({ ...amd, container: true })[0].remedy).toContain('--device /dev/dri');
    expect(judge({ ...amd, renderNodes: ['renderD128'] })[0].remedy).toContain('usermod -aG render,video');
    expect(judge(amd, [adapter({ vendor: 'amd', device: 'AMD Radeon RX 7900 XTX' })])).toEqual([]);
  });

  it('tell how to get an adapter where none answers, errors first', () => {
    const list = judge(nvidia, []);
    expect(codes(list)).toEqual(['no-adapter', 'nvidia-driver-missing']);
    expect(list[0].remedy).toContain('plinth doctor --fix');
    expect(judge({ platform: 'win32', glibc: undefined }, [])[0].remedy).not.toContain('--fix');
  });

  it('tell an old Mesa, Node or glibc, a system without glibc, and little memory', () => {
    const old = { ...software, description: 'llvmpipe: Mesa 22.3.6 (LLVM 15)' };
    expect(mesaVersion(old)).toBe('22.3.6');
    expect(codes(judge({}, [old]))).toEqual(['mesa-too-old']);
    expect(codes(judge({ node: '20.18.1' }))).toEqual(['node-too-old']);
    expect(codes(judge({ glibc: '2.31' }))).toEqual(['glibc']);
    expect(codes(judge({ glibc: undefined }))).toEqual(['glibc']);
    expect(codes(judge({ memory: 2 ** 31 }))).toContain('memory');
  });

  it('tell each failed check of the self-test', () => {
    const checks = [
      { name: 'scan' as const, ok: true, seconds: 1, message: '' },
      { name: 'sort' as const, ok: false, seconds: 1, message: '3 of 9 sorted keys are wrong' },
    ];
    const selfTest = { ok: false, device: 'NVIDIA L4', seconds: 2, checks };
    const list = findings({ machine, adapters: [adapter()], selfTest });
    expect(codes(list)).toEqual(['self-test-sort']);
    expect(list[0].message).toContain('3 of 9 sorted keys are wrong');
    const late = { ...checks[1], late: true as const, message: 'There was no answer within 60 s' };
    const [finding] = findings({ machine, adapters: [adapter()], selfTest: { ...selfTest, checks: [late] } });
    expect(finding).toMatchObject({ code: 'self-test-late', severity: 'error' });
    expect(wordRemedy(finding.remedy!, LIBRARY_WORDS)).toContain('less busy');
  });
});

describe('machine facts', () => {
  const roots: string[] = [];
  afterAll(() => {
    for (const root of roots) rmSync(root, { recursive: true, force: true });
  });

  it('come from the files of the system', () => {
    const root = mkdtempSync(join(tmpdir(), 'plinth-machine-'));
    roots.push(root);
    for (const [path, text] of Object.entries({
      'etc/os-release': 'ID=ubuntu\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
      '.dockerenv': '',
      'sys/bus/pci/devices/0000:00:02.0/class': '0x030000\n',
      'sys/bus/pci/devices/0000:00:02.0/vendor': '0x8086\n',
      'sys/bus/pci/devices/0000:01:00.0/class': '0x030200\n',
      'sys/bus/pci/devices/0000:01:00.0/vendor': '0x10de\n',
      'sys/bus/pci/devices/0000:02:00.0/class': '0x010802\n',
      'sys/bus/pci/devices/0000:02:00.0/vendor': '0x10de\n',
      'proc/driver/nvidia/version':
        'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 12\n',
      'usr/share/vulkan/icd.d/nvidia_icd.json': '{}',
      'dev/nvidia0': '',
      'dev/dri/renderD128': '',
      'dev/dri/card0': '',
    })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    expect(machineFacts(root)).toMatchObject({
      system: 'Ubuntu 24.04.1 LTS',
      container: true,
      pciGpus: [
        { vendor: 'intel', address: '0000:00:02.0' },
        { vendor: 'nvidia', address: '0000:01:00.0' },
      ],
      nvidiaDriver: '550.54.15',
      nvidiaVulkan: true,
      nvidiaDevice: true,
      renderNodes: ['renderD128'],
    });
  });
});

describe('diagnose', () => {
  it('finds this machine healthy, as plain data and as text', async () => {
    const lines: string[] = [];
    const diagnosis = await diagnose({ log: (line) => lines.push(line) });
    expect(diagnosis.healthy).toBe(true);
    expect(diagnosis.selfTest?.ok).toBe(true);
    expect(JSON.parse(JSON.stringify(diagnosis)).adapters[0].device).toBe(diagnosis.adapters[0].device);
    const text = formatDiagnosis(diagnosis);
    for (const word of [diagnosis.adapters[0].device, 'matmul', 'Ready', diagnosis.machine.node, 'binding'])
      expect(text).toContain(word);
    expect(lines.length).toBeGreaterThan(0);
  });

  it('reports an adapter that cannot be chosen, without throwing', async () => {
    process.env.PLINTH_ADAPTER = 'voodoo 2';
    const diagnosis = await diagnose().finally(() => delete process.env.PLINTH_ADAPTER);
    expect(diagnosis.healthy).toBe(false);
    expect(codes(diagnosis.findings)).toContain('adapter-not-matched');
    expect(formatDiagnosis(diagnosis)).toContain('Not ready');
  });

  it('skips the self-test when told so', async () => {
    const diagnosis = await diagnose({ skipSelfTest: true });
    expect(diagnosis.selfTest).toBeUndefined();
    expect(diagnosis.healthy).toBe(true);
  });
});
