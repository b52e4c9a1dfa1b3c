import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { cacheFolder, installedSoftwareDriver } from '../driver/softwareDriver.js';
import { driverVersion, hasVulkanLoader, vulkanDevices } from '../driver/vulkan.js';
import type { AdapterFacts } from '../runtime/adapterFacts.js';
import { chooseAdapter, listAdapters, matchAdapter } from './adapter.js';
import { kindFromNames } from './adapterKind.js';
import { parseAdapterList } from './enumerate.js';
import { withoutNoise } from './quietStderr.js';

const names = (vendor: string, device: string, description = ''): Parameters<typeof kindFromNames>[0] => ({
  vendor,
  architecture: '',
  device,
  description,
});

const facts = (index: number, kind: AdapterFacts['kind'], device: string, memory?: number): AdapterFacts => ({
  index,
  kind,
  device,
  memory,
  vendor: 'x',
  architecture: '',
  description: '',
  backend: 'vulkan',
  features: [],
  limits: {},
});

describe('the kind of an adapter', () => {
  it.each([
    ['nvidia', 'NVIDIA L4', 'discrete'],
    ['nvidia', 'NVIDIA GeForce RTX 4090', 'discrete'],
    ['nvidia', 'NVIDIA Tegra Orin (nvgpu)', 'integrated'],
    ['amd', 'AMD Radeon RX 7900 XTX (RADV NAVI31)', 'discrete'],
    ['amd', 'AMD Radeon PRO W7900', 'discrete'],
    ['amd', 'AMD Instinct MI210', 'discrete'],
    ['amd', 'AMD Radeon 780M (RADV PHOENIX)', 'integrated'],
    ['amd', 'AMD Radeon Graphics (RADV RENOIR)', 'integrated'],
    ['intel', 'Intel(R) Arc(TM) A770 Graphics (DG2)', 'discrete'],
    ['intel', 'Intel(R) Arc(tm) B580 Graphics', 'discrete'],
    ['intel', 'Intel(R) Arc(tm) Graphics (MTL)', 'integrated'],
    ['intel', 'Intel(R) UHD Graphics 770 (ADL-S GT1)', 'integrated'],
    ['intel', 'Intel(R) Data Center GPU Flex 170', 'discrete'],
    ['apple', 'Apple M3 Max', 'integrated'],
    ['mesa', 'llvmpipe (LLVM 19.1.7, 256 bits)', 'software'],
    ['google', 'SwiftShader Device (LLVM 10.0.0)', 'software'],
    ['microsoft', 'Microsoft Basic Render Driver', 'software'],
    ['', 'Something new', 'unknown'],
  ] as const)('%s "%s" is %s', (vendor, device, kind) => {
    expect(kindFromNames(names(vendor, device))).toBe(kind);
  });
});

describe('the choice of an adapter', () => {
  const machine = [
    facts(0, 'software', 'llvmpipe'),
    facts(1, 'integrated', 'Intel UHD'),
    facts(2, 'discrete', 'NVIDIA T4', 16e9),
    facts(3, 'discrete', 'NVIDIA L4', 24e9),
  ];

  it(
    'is the discrete one with the most memory by itself, else the one named by kind, index or part of the ' + 'name',
    () => {
      expect(matchAdapter('auto', machine)?.index).toBe(3);
      expect(matchAdapter('auto', machine.slice(0, 2))?.index).toBe(1);
      expect(matchAdapter('software', machine)?.index).toBe(0);
      expect(matchAdapter('Integrated', machine)?.index).toBe(1);
      expect(matchAdapter('2', machine)?.index).toBe(2);
      expect(matchAdapter('t4', machine)?.index).toBe(2);
    },
  );

  it('is none where nothing matches, so that no other adapter is taken silently', () => {
    expect(matchAdapter('7', machine)).toBeUndefined();
    expect(matchAdapter('radeon', machine)).toBeUndefined();
    expect(matchAdapter('discrete', machine.slice(0, 2))).toBeUndefined();
  });

  it('fails with the list of what there is', async () => {
    const [first] = await listAdapters();
    await expect(chooseAdapter({ adapter: 'voodoo 2' })).rejects.toMatchObject({
      code: 'GPU_ADAPTER_NOT_MATCHED',
      exitCode: 3,
      message: expect.stringContaining(`0: ${first.device}`),
    });
  });
});

describe('the adapters of this machine', () => {
  it('have the names that their drivers give them, and a kind', async () => {
    const adapters = await listAdapters();
    expect(adapters.length).toBeGreaterThan(0);
    for (const [i, adapter] of adapters.entries()) {
      expect(adapter.index).toBe(i);
      expect(adapter.device).toMatch(/^[A-Z]|^llvmpipe \(LLVM/i);
      expect(adapter.kind).not.toBe('unknown');
      expect(adapter.limits.maxBufferSize).toBeGreaterThan(2 ** 27);
    }
    for (const device of vulkanDevices()) {
      expect(device.apiVersion).toMatch(/^1\.\d+\.\d+$/);
      expect(device.memory).toBeGreaterThan(0);
    }
  });

  it('are found without a word on the standard error', () => {
    const script = `import { openGpu } from '${new URL('./openGpu.ts', import.meta.url).href}'; (await openGpu()).dispose();`;
    const result = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      encoding: 'utf8',
    });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});

/**
 * A folder with the Vulkan loader alone: the system's need not be told, Plinth's own is copied out of its driver; else
 * undefined.
 */
function loaderFolder(): string | undefined {
  const own = installedSoftwareDriver()?.libraries.find((file) => file.endsWith('/libvulkan.so.1'));
  const folder = mkdtempSync(join(tmpdir(), 'plinth-loader-'));
  folders.push(folder);
  if (own === undefined) return hasVulkanLoader() ? folder : undefined;
  copyFileSync(join(cacheFolder(), `vulkan-software-${process.arch}`, own), join(folder, 'libvulkan.so.1'));
  return folder;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('a machine with the Vulkan loader and no driver that works', () => {
  const loader = process.platform === 'linux' ? loaderFolder() : undefined;

  it.skipIf(loader === undefined)('is told in our words alone, whatever the loader says', () => {
    const broken = join(loader!, 'broken.json');
    writeFileSync(broken, JSON.stringify({ file_format_version: '1.0.1', ICD: { library_path: '/nowhere/lib.so' } }));
    const url = (file: string): string => new URL(file, import.meta.url).href;
    const script = `
      import { openGpu } from '${url('./openGpu.ts')}';
      import { diagnose } from '${url('../doctor/doctor.ts')}';
      const { findings } = await diagnose();
      console.log(findings.map((f) => f.code).includes('no-adapter'));
      await openGpu().catch((error) => console.log(error.code));`;
    const say = (drivers: string, log = ''): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
        encoding: 'utf8',
        env: {
          ...process.env,
          LD_LIBRARY_PATH: loader,
          VK_DRIVER_FILES: drivers,
          VK_ICD_FILENAMES: drivers,
          PLINTH_CACHE: join(loader!, 'cache'),
          PLINTH_GPU_LOG: log,
        },
      });
    for (const drivers of [join(loader!, 'none'), broken]) {
      expect(say(drivers)).toMatchObject({ stderr: '', stdout: 'true\nGPU_NO_ADAPTER\n', status: 0 });
    }
    // Otherwise the loader was not asked, and the test above says nothing.
    expect(say(broken, '1').stderr).toContain('vkCreateInstance');
  });
});

describe('small parts', () => {
  it("reads dawn.node's list of adapters without repetitions and other backends", () => {
    const message = `no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'NVIDIA L4'
 * backend: 'vulkan', name: 'NVIDIA L4'
 * backend: 'opengl', name: 'NVIDIA L4'
 * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`;
    expect(parseAdapterList(message)).toEqual([
      { backend: 'vulkan', name: 'NVIDIA L4' },
      { backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
    ]);
    expect(parseAdapterList('something else')).toEqual([]);
  });

  it('drops known noise and keeps everything else', () => {
    const noise = "Warning: Couldn't load Vulkan: x\n    at operator() (/a/third_party/dawn/src/b.cpp:1)\n\n";
    expect(withoutNoise(noise)).toBe('');
    const loader =
      'Warning: vkCreateInstance: Found no drivers!\n' +
      'Warning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER\n\n';
    expect(withoutNoise(loader)).toBe('');
    expect(withoutNoise(`${noise}MESA: error: no memory\n`)).toContain('MESA: error: no memory');
  });

  it('writes driver versions as their vendors do', () => {
    expect(driverVersion(0x10de, ((550 << 22) | (54 << 14) | (15 << 6)) >>> 0)).toBe('550.54.15');
    expect(driverVersion(0x1002, (25 << 22) | (0 << 12) | 7)).toBe('25.0.7');
  });
});
