import { type Answer, type GpuFacts, type GpuFigures, unhealthyReasons } from '../figures.js';
import { type NvmlArgument, NvmlError, NvmlLibrary } from './nvmlLibrary.js';

const XID_CRITICAL_ERROR = 8n;
const TIMEOUT = 10;
const INSUFFICIENT_SIZE = 7;
const MHZ = 1e6;

/**
 * Bits of the throttle reasons. Idleness, settings of the user and synchronisation lower the clocks too, without
 * anything being wrong.
 */
const THROTTLE_REASONS: [bigint, string][] = [
  [0x4n, 'software power cap'],
  [0x8n, 'hardware slowdown'],
  [0x20n, 'software thermal slowdown'],
  [0x40n, 'hardware thermal slowdown'],
  [0x80n, 'hardware power brake'],
];

interface Device {
  handle: bigint;
  facts: GpuFacts;
}

/** NVIDIA GPUs through NVML. */
export class NvidiaReader {
  private readonly path: string;
  private nvml: NvmlLibrary | undefined;
  private devices: Device[] | undefined;
  private events: bigint | undefined;
  private readonly xids = new Map<bigint, { count: number; codes: number[] }>();
  private readonly onCall: (name: string | undefined) => void;

  constructor(path: string, onCall: (name: string | undefined) => void) {
    this.path = path;
    this.onCall = onCall;
  }

  async facts(): Promise<Answer<GpuFacts>> {
    return this.answer(async (devices) => devices.map((d) => d.facts));
  }

  async figures(): Promise<Answer<GpuFigures>> {
    return this.answer(async (devices) => {
      await this.drainEvents();
      const result: GpuFigures[] = [];
      for (const device of devices) result.push(await this.read(device));
      return result;
    });
  }

  private async answer<T>(get: (devices: Device[]) => Promise<T[]>): Promise<Answer<T>> {
    if (!this.nvml) {
      try {
        this.nvml = new NvmlLibrary(this.path);
        this.nvml.onCall = this.onCall;
      } catch {
        return { status: 'absent' };
      }
    }
    try {
      this.devices ??= await this.open(this.nvml);
      return { status: 'ok', gpus: await get(this.devices) };
    } catch (error) {
      return { status: 'failed', message: (error as Error).message };
    }
  }

  private async open(nvml: NvmlLibrary): Promise<Device[]> {
    await nvml.call('nvmlInit_v2');
    const driver = await this.offered(() => this.text('nvmlSystemGetDriverVersion', []));
    const cuda = await this.offered(() => this.u32('nvmlSystemGetCudaDriverVersion_v2'));
    const count = await this.u32('nvmlDeviceGetCount_v2');
    const set = Buffer.alloc(8);
    if ((await nvml.code('nvmlEventSetCreate', set)) === 0) this.events = set.readBigUInt64LE();
    const devices: Device[] = [];
    for (let index = 0; index < count; index++) {
      const out = Buffer.alloc(8);
      await nvml.call('nvmlDeviceGetHandleByIndex_v2', index, out);
      const handle = out.readBigUInt64LE();
      if (this.events !== undefined) {
        const registered = await nvml.code('nvmlDeviceRegisterEvents', handle, XID_CRITICAL_ERROR, this.events);
        if (registered === 0) this.xids.set(handle, { count: 0, codes: [] });
      }
      const facts: GpuFacts = { vendor: 'nvidia', index, name: await this.text('nvmlDeviceGetName', [handle]) };
      facts.uuid = await this.offered(() => this.text('nvmlDeviceGetUUID', [handle]));
      facts.pciAddress = await this.offered(() => this.pciAddress(handle));
      facts.driver = driver;
      facts.cuda = cuda === undefined ? undefined : `${Math.floor(cuda / 1000)}.${Math.floor((cuda % 1000) / 10)}`;
      facts.computeCapability = await this.offered(() => this.computeCapability(handle));
      facts.memoryTotal = (await this.offered(() => this.memory(handle)))?.total;
      devices.push({ handle, facts });
    }
    return devices;
  }

  private async read({ handle, facts }: Device): Promise<GpuFigures> {
    const errors: string[] = [];
    const get = async <T>(query: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await this.offered(query);
      } catch (error) {
        errors.push((error as Error).message);
        return undefined;
      }
    };
    const number = (name: string, ...args: NvmlArgument[]): Promise<number | undefined> =>
      get(() => this.u32(name, handle, ...args));
    const scaled = (value: number | undefined, factor: number): number | undefined =>
      value === undefined ? undefined : value * factor;

    const memory = await get(() => this.memory(handle));
    const rates = await get(() => this.fields('nvmlDeviceGetUtilizationRates', handle, 2));
    const temperature = await number('nvmlDeviceGetTemperature', 0);
    const power = scaled(await number('nvmlDeviceGetPowerUsage'), 1e-3);
    const powerLimit = scaled(await number('nvmlDeviceGetEnforcedPowerLimit'), 1e-3);
    const graphics = scaled(await number('nvmlDeviceGetClockInfo', 0), MHZ);
    const memoryClock = scaled(await number('nvmlDeviceGetClockInfo', 2), MHZ);
    const throttle = await get(() => this.u64('nvmlDeviceGetCurrentClocksThrottleReasons', handle));
    const corrected = await get(() => this.u64('nvmlDeviceGetTotalEccErrors', handle, 0, 0));
    const uncorrected = await get(() => this.u64('nvmlDeviceGetTotalEccErrors', handle, 1, 0));
    const retiredPages = await get(() => this.retiredPages(handle));
    const rows = await get(() => this.remappedRows(handle));
    const xidErrors = this.xids.get(handle);
    const figures = {
      vendor: facts.vendor,
      index: facts.index,
      name: facts.name,
      uuid: facts.uuid,
      memory,
      utilization: scaled(rates?.[0], 0.01),
      memoryUtilization: scaled(rates?.[1], 0.01),
      temperature,
      power,
      powerLimit,
      clocks: graphics === undefined && memoryClock === undefined ? undefined : { graphics, memory: memoryClock },
      throttleReasons:
        throttle === undefined ? undefined : THROTTLE_REASONS.filter(([bit]) => throttle & bit).map(([, name]) => name),
      eccErrors:
        corrected === undefined || uncorrected === undefined
          ? undefined
          : { corrected: Number(corrected), uncorrected: Number(uncorrected) },
      retiredPages,
      remappedRows: rows,
      xidErrors: xidErrors && { ...xidErrors },
      errors,
    };
    const reasons = unhealthyReasons(figures);
    return { ...figures, state: reasons.length > 0 ? 'unhealthy' : 'healthy', reasons };
  }

  /** Undefined where the device does not offer it. */
  private async offered<T>(query: () => Promise<T>): Promise<T | undefined> {
    try {
      return await query();
    } catch (error) {
      if (error instanceof NvmlError && error.notOffered) return undefined;
      throw error;
    }
  }

  private async text(name: string, first: NvmlArgument[]): Promise<string> {
    const out = Buffer.alloc(96);
    await this.nvml!.call(name, ...first, out, out.length);
    return out.toString('utf8', 0, Math.max(0, out.indexOf(0)));
  }

  private async u32(name: string, ...args: NvmlArgument[]): Promise<number> {
    const out = Buffer.alloc(4);
    await this.nvml!.call(name, ...args, out);
    return out.readUInt32LE();
  }

  private async u64(name: string, ...args: NvmlArgument[]): Promise<bigint> {
    const out = Buffer.alloc(8);
    await this.nvml!.call(name, ...args, out);
    return out.readBigUInt64LE();
  }

  private async fields(name: string, handle: bigint, count: number): Promise<number[]> {
    const out = Buffer.alloc(count * 4);
    await this.nvml!.call(name, handle, out);
    return Array.from({ length: count }, (_, i) => out.readUInt32LE(i * 4));
  }

  /** nvmlMemory_t: total, free, used. */
  private async memory(handle: bigint): Promise<{ total: number; used: number; free: number }> {
    const out = Buffer.alloc(24);
    await this.nvml!.call('nvmlDeviceGetMemoryInfo', handle, out);
    const [total, free, used] = [0, 8, 16].map((at) => Number(out.readBigUInt64LE(at)));
    return { total, used, free };
  }

  /** nvmlPciInfo_t: legacy bus id (16 bytes), five numbers, bus id (32 bytes). */
  private async pciAddress(handle: bigint): Promise<string> {
    const out = Buffer.alloc(68);
    await this.nvml!.call('nvmlDeviceGetPciInfo_v3', handle, out);
    const text = out.toString('latin1', 36, out.indexOf(0, 36)).toLowerCase();
    return text.replace(/^0000(?=[0-9a-f]{4}:)/, ''); // NVML writes domains with eight digits, the kernel with four
  }

  private async computeCapability(handle: bigint): Promise<string> {
    const [major, minor] = [Buffer.alloc(4), Buffer.alloc(4)];
    await this.nvml!.call('nvmlDeviceGetCudaComputeCapability', handle, major, minor);
    return `${major.readInt32LE()}.${minor.readInt32LE()}`;
  }

  /** Pages retired for repeated corrected errors (cause 0) and for an uncorrected one (cause 1). */
  private async retiredPages(handle: bigint): Promise<number> {
    let sum = 0;
    for (const cause of [0, 1]) {
      const count = Buffer.alloc(4);
      const code = await this.nvml!.code('nvmlDeviceGetRetiredPages', handle, cause, count, null);
      // Without room for the addresses the answer is the number of them, with or without this code.
      if (code !== 0 && code !== INSUFFICIENT_SIZE) throw new NvmlError('nvmlDeviceGetRetiredPages', code);
      sum += count.readUInt32LE();
    }
    return sum;
  }

  private async remappedRows(handle: bigint): Promise<NonNullable<GpuFigures['remappedRows']>> {
    const out = Array.from({ length: 4 }, () => Buffer.alloc(4));
    await this.nvml!.call('nvmlDeviceGetRemappedRows', handle, ...out);
    const [corrected, uncorrected, pending, failed] = out.map((b) => b.readUInt32LE());
    return { corrected, uncorrected, pending: pending !== 0, failed: failed !== 0 };
  }

  /** Collects the critical errors that came since the last time, without waiting for one. */
  private async drainEvents(): Promise<void> {
    if (this.events === undefined) return;
    for (let i = 0; i < 64; i++) {
      // nvmlEventData_t: device, type, data, GPU instance, compute instance.
      const data = Buffer.alloc(32);
      const code = await this.nvml!.code('nvmlEventSetWait_v2', this.events, data, 0);
      if (code === TIMEOUT || code !== 0) return;
      const xids = this.xids.get(data.readBigUInt64LE(0));
      if (!xids || data.readBigUInt64LE(8) !== XID_CRITICAL_ERROR) continue;
      xids.count++;
      xids.codes = [...xids.codes.slice(-15), Number(data.readBigUInt64LE(16))];
    }
  }
}
