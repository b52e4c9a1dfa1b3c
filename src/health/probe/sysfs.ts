/**
 * GPUs of AMD and Intel through the kernel's files (Linux documentation: "amdgpu thermal, power and clock control",
 * "AMDGPU RAS", "i915" and "xe" hwmon and sysfs ABI).
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Answer, type GpuFacts, type GpuFigures, type GpuVendor, unhealthyReasons } from '../figures.js';

const VENDORS: Record<string, GpuVendor> = { '0x1002': 'amd', '0x8086': 'intel' };
const NAMES: Record<GpuVendor, string> = { amd: 'AMD', intel: 'Intel', nvidia: 'NVIDIA' };

interface Card {
  vendor: GpuVendor;
  index: number;
  /** `…/class/drm/card0`. */
  folder: string;
  /** `…/class/drm/card0/device`. */
  device: string;
  hwmon?: string;
}

/** Kernels say "not here" with these; anything else is a failed query. */
const NOT_OFFERED = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'EOPNOTSUPP',
  'ENODATA',
  'ENOSYS',
  'EINVAL',
  'EBUSY',
]);

/** Reads one file. Undefined where there is none or the driver does not offer it. */
async function text(...path: string[]): Promise<string | undefined> {
  try {
    return (await readFile(join(...path), 'utf8')).trim();
  } catch (error) {
    if (NOT_OFFERED.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function number(...path: string[]): Promise<number | undefined> {
  const value = await text(...path);
  if (value === undefined || value === '') return undefined;
  const result = Number(value);
  if (!Number.isFinite(result)) throw new Error(`${basename(path[path.length - 1])} holds "${value.slice(0, 40)}"`);
  return result;
}

async function list(...path: string[]): Promise<string[]> {
  try {
    return (await readdir(join(...path))).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

/** GPUs of AMD and Intel. */
export class SysfsReader {
  private readonly root: string;

  /** `root` stands for `/sys`. */
  constructor(root: string) {
    this.root = root;
  }

  private async cards(): Promise<Card[]> {
    const drm = join(this.root, 'class/drm');
    const result: Card[] = [];
    for (const name of await list(drm)) {
      if (!/^card\d+$/.test(name)) continue;
      const device = join(drm, name, 'device');
      const vendor = VENDORS[(await text(device, 'vendor')) ?? ''];
      if (!vendor) continue;
      const [hwmon] = await list(device, 'hwmon');
      const index = result.filter((c) => c.vendor === vendor).length;
      result.push({ vendor, index, folder: join(drm, name), device, hwmon: hwmon && join(device, 'hwmon', hwmon) });
    }
    return result;
  }

  async facts(): Promise<Answer<GpuFacts>> {
    return this.answer(async (card) => {
      const { vendor, index, device } = card;
      const link = async (path: string): Promise<string | undefined> =>
        readlink(path).then(
          (target) => basename(target),
          () => undefined,
        );
      return {
        vendor,
        index,
        name: await this.name(card),
        uuid: await text(device, 'unique_id'),
        pciAddress: await link(device),
        driver: await link(join(device, 'driver')),
        memoryTotal: (await number(device, 'mem_info_vram_total')) ?? (await number(card.folder, 'lmem_total_bytes')),
      };
    });
  }

  async figures(): Promise<Answer<GpuFigures>> {
    return this.answer((card) => this.read(card));
  }

  private async answer<T>(read: (card: Card) => Promise<T>): Promise<Answer<T>> {
    try {
      const cards = await this.cards();
      if (cards.length === 0) return { status: 'absent' };
      const gpus: T[] = [];
      for (const card of cards) gpus.push(await read(card));
      return { status: 'ok', gpus };
    } catch (error) {
      return { status: 'failed', message: (error as Error).message };
    }
  }

  private async name({ vendor, device }: Card): Promise<string> {
    const product = await text(device, 'product_name');
    return product || `${NAMES[vendor]} GPU ${(await text(device, 'device')) ?? ''}`.trim();
  }

  private async read(card: Card): Promise<GpuFigures> {
    const { vendor, index, device, folder } = card;
    const hwmon = card.hwmon ?? join(device, 'no-hwmon');
    const errors: string[] = [];
    const get = async <T>(query: Promise<T>): Promise<T | undefined> =>
      query.catch((error: Error) => {
        errors.push(error.message);
        return undefined;
      });
    const scaled = async (factor: number, ...path: string[]): Promise<number | undefined> => {
      const value = await get(number(...path));
      return value === undefined ? undefined : value * factor;
    };
    const graphics =
      (await scaled(1, hwmon, 'freq1_input')) ??
      (await scaled(1e6, folder, 'gt_act_freq_mhz')) ??
      (await scaled(1e6, device, 'tile0/gt0/freq0/act_freq'));
    const memoryClock = await scaled(1, hwmon, 'freq2_input');
    const figures = {
      vendor,
      index,
      name: (await get(this.name(card))) ?? NAMES[vendor],
      uuid: await get(text(device, 'unique_id')),
      memory: await get(memoryOf(card)),
      utilization: await scaled(0.01, device, 'gpu_busy_percent'),
      memoryUtilization: await scaled(0.01, device, 'mem_busy_percent'),
      temperature: (await scaled(1e-3, hwmon, 'temp1_input')) ?? (await scaled(1e-3, hwmon, 'temp2_input')),
      power: (await scaled(1e-6, hwmon, 'power1_average')) ?? (await scaled(1e-6, hwmon, 'power1_input')),
      powerLimit: (await scaled(1e-6, hwmon, 'power1_cap')) ?? (await scaled(1e-6, hwmon, 'power1_max')),
      clocks: graphics === undefined && memoryClock === undefined ? undefined : { graphics, memory: memoryClock },
      throttleReasons: await get(throttleReasons(card)),
      eccErrors: await get(eccErrors(device)),
      retiredPages: await get(badPages(device)),
      errors,
    };
    const reasons = unhealthyReasons(figures);
    return { ...figures, state: reasons.length > 0 ? 'unhealthy' : 'healthy', reasons };
  }
}

async function memoryOf({ device, folder }: Card): Promise<{ total: number; used: number; free: number } | undefined> {
  const total = await number(device, 'mem_info_vram_total');
  const used = await number(device, 'mem_info_vram_used');
  if (total !== undefined && used !== undefined) return { total, used, free: Math.max(0, total - used) };
  const local = await number(folder, 'lmem_total_bytes');
  const available = await number(folder, 'lmem_avail_bytes');
  if (local === undefined || available === undefined) return undefined;
  return { total: local, used: Math.max(0, local - available), free: available };
}

/** Intel's drivers have a file for each reason, 0 or 1, and one for any. */
async function throttleReasons({ device, folder }: Card): Promise<string[] | undefined> {
  for (const [place, prefix] of [
    [join(folder, 'gt/gt0'), 'throttle_reason_'],
    [join(device, 'tile0/gt0/freq0/throttle'), 'reason_'],
  ]) {
    const files = (await list(place)).filter((f) => f.startsWith(prefix) && !f.endsWith('status'));
    if (files.length === 0) continue;
    const reasons: string[] = [];
    for (const file of files) if ((await number(place, file)) === 1) reasons.push(file.slice(prefix.length));
    return reasons;
  }
  return undefined;
}

/** AMD's memory controller: lines `ue: 0` and `ce: 3`. */
async function eccErrors(device: string): Promise<GpuFigures['eccErrors']> {
  const counts = await text(device, 'ras/umc_err_count');
  const uncorrected = /ue:\s*(\d+)/.exec(counts ?? '')?.[1];
  const corrected = /ce:\s*(\d+)/.exec(counts ?? '')?.[1];
  if (uncorrected === undefined || corrected === undefined) return undefined;
  return { corrected: Number(corrected), uncorrected: Number(uncorrected) };
}

/** One line for each page that AMD's driver has taken out of use. */
async function badPages(device: string): Promise<number | undefined> {
  const pages = await text(device, 'ras/gpu_vram_bad_pages');
  return pages === undefined ? undefined : pages.split('\n').filter((line) => /^0x/.test(line.trim())).length;
}
