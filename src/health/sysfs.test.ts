import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SysfsReader } from './probe/sysfs.js';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/**
 * A folder that looks like `/sys` with these files under each card's device, or with a leading `/` under the card
 * itself.
 */
function tree(cards: Record<string, Record<string, string>>): SysfsReader {
  const root = mkdtempSync(join(tmpdir(), 'plinth-sysfs-'));
  roots.push(root);
  for (const [i, [card, files]] of Object.entries(cards).entries()) {
    const device = join(root, `devices/pci0000:00/0000:0${i + 3}:00.0`);
    const folder = join(root, 'class/drm', card);
    mkdirSync(folder, { recursive: true });
    mkdirSync(device, { recursive: true });
    symlinkSync(device, join(folder, 'device'));
    for (const [name, text] of Object.entries(files)) {
      if (name === 'driver') {
        mkdirSync(join(root, 'bus/pci/drivers', text), { recursive: true });
        symlinkSync(join(root, 'bus/pci/drivers', text), join(device, 'driver'));
        continue;
      }
      const path = name.startsWith('/') ? join(folder, name) : join(device, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${text}\n`);
    }
  }
  return new SysfsReader(root);
}

const amd = {
  vendor: '0x1002',
  device: '0x744c',
  driver: 'amdgpu',
  product_name: 'Radeon RX 7900 XTX',
  unique_id: 'ee1e0c8b1e3b5b9d',
  mem_info_vram_total: String(24 * 2 ** 30),
  mem_info_vram_used: String(2 ** 30),
  gpu_busy_percent: '55',
  mem_busy_percent: '7',
  'hwmon/hwmon3/temp1_input': '47000',
  'hwmon/hwmon3/power1_average': '98000000',
  'hwmon/hwmon3/power1_cap': '303000000',
  'hwmon/hwmon3/freq1_input': '2304000000',
  'hwmon/hwmon3/freq2_input': '1249000000',
  'ras/umc_err_count': 'ue: 0\nce: 4',
  'ras/gpu_vram_bad_pages': '0x00000001 : 0x00001000 : R\n0x00000002 : 0x00001000 : P',
};

const intel = {
  vendor: '0x8086',
  device: '0x56a0',
  driver: 'i915',
  '/gt_act_freq_mhz': '2100',
  '/lmem_total_bytes': String(16 * 2 ** 30),
  '/lmem_avail_bytes': String(12 * 2 ** 30),
  '/gt/gt0/throttle_reason_status': '1',
  '/gt/gt0/throttle_reason_thermal': '1',
  '/gt/gt0/throttle_reason_pl1': '0',
  'hwmon/hwmon1/power1_max': '190000000',
};

describe('AMD and Intel through sysfs', () => {
  it('gives the facts and live figures of a card of AMD in base units', async () => {
    const reader = tree({ card0: amd });
    expect(await reader.facts()).toEqual({
      status: 'ok',
      gpus: [
        {
          vendor: 'amd',
          index: 0,
          name: 'Radeon RX 7900 XTX',
          uuid: 'ee1e0c8b1e3b5b9d',
          pciAddress: '0000:03:00.0',
          driver: 'amdgpu',
          memoryTotal: 24 * 2 ** 30,
        },
      ],
    });
    expect(await reader.figures()).toEqual({
      status: 'ok',
      gpus: [
        {
          vendor: 'amd',
          index: 0,
          name: 'Radeon RX 7900 XTX',
          uuid: 'ee1e0c8b1e3b5b9d',
          memory: { total: 24 * 2 ** 30, used: 2 ** 30, free: 23 * 2 ** 30 },
          utilization: expect.closeTo(0.55, 10),
          memoryUtilization: expect.closeTo(0.07, 10),
          temperature: 47,
          power: expect.closeTo(98, 10),
          powerLimit: expect.closeTo(303, 10),
          clocks: { graphics: 2.304e9, memory: 1.249e9 },
          throttleReasons: undefined,
          eccErrors: { corrected: 4, uncorrected: 0 },
          retiredPages: 2,
          errors: [],
          state: 'healthy',
          reasons: [],
        },
      ],
    });
  });

  it('gives what there is of a card of Intel', async () => {
    const answer = await tree({ card1: intel }).figures();
    expect(answer).toMatchObject({
      status: 'ok',
      gpus: [
        {
          vendor: 'intel',
          name: 'Intel GPU 0x56a0',
          memory: { total: 16 * 2 ** 30, used: 4 * 2 ** 30, free: 12 * 2 ** 30 },
          clocks: { graphics: 2.1e9 },
          throttleReasons: ['thermal'],
          powerLimit: expect.closeTo(190, 10),
          state: 'healthy',
        },
      ],
    });
  });

  it(
    'numbers several cards by vendor, in the order of their numbers, and leaves connectors and other vendors ' + 'out',
    async () => {
      const other = { vendor: '0x1a03', device: '0x2000' };
      const answer = await tree({ card10: amd, card2: amd, card1: intel, card0: other, 'card1-HDMI-A-1': amd }).facts();
      if (answer.status !== 'ok') throw new Error('no cards');
      expect(answer.gpus.map((g) => `${g.vendor} ${g.index}`)).toEqual(['intel 0', 'amd 0', 'amd 1']);
    },
  );

  it('is unhealthy for uncorrected memory errors and for figures that are no numbers', async () => {
    const answer = await tree({
      card0: { ...amd, 'ras/umc_err_count': 'ue: 3\nce: 4', gpu_busy_percent: 'N/A' },
    }).figures();
    expect(answer).toMatchObject({
      status: 'ok',
      gpus: [
        {
          state: 'unhealthy',
          reasons: ['query failed: gpu_busy_percent holds "N/A"', '3 uncorrected memory errors'],
        },
      ],
    });
  });

  it('is not unhealthy for a bare card, and absent where there is none', async () => {
    expect(await tree({ card0: { vendor: '0x8086' } }).figures()).toMatchObject({
      status: 'ok',
      gpus: [{ state: 'healthy', errors: [] }],
    });
    expect(await tree({}).figures()).toEqual({ status: 'absent' });
    expect(await new SysfsReader('/nowhere').facts()).toEqual({ status: 'absent' });
  });
});
