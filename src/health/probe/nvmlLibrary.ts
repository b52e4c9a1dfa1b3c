/**
 * NVIDIA's management library through FFI. All calls are asynchronous and one at a time. Signatures, structures and
 * return codes follow NVIDIA's NVML API reference, r550.
 */
import koffi from 'koffi';

/** Return codes that mean "this device or driver does not offer it". */
const NOT_OFFERED = new Set([3, 4, 13]); // not supported, no permission, function not found

const NAMES: Record<number, string> = {
  1: 'not initialised',
  2: 'invalid argument',
  3: 'not supported',
  4: 'no permission',
  6: 'not found',
  8: 'insufficient power',
  9: 'the NVIDIA kernel driver is not loaded',
  10: 'timeout',
  11: 'interrupt request issue',
  12: 'library not found',
  13: 'function not found',
  15: 'the GPU is lost: it has fallen off the bus',
  16: 'the GPU needs a reset',
  17: 'the operating system refused',
  18: 'library and driver versions differ: restart the machine',
  19: 'in use',
  20: 'out of memory',
  999: 'unknown error',
};

export class NvmlError extends Error {
  readonly code: number;

  constructor(call: string, code: number) {
    super(`${call}: ${NAMES[code] ?? `error ${code}`}`);
    this.code = code;
  }

  /** The device or driver does not offer what was asked for; nothing is wrong. */
  get notOffered(): boolean {
    return NOT_OFFERED.has(this.code);
  }
}

/** Handles of the library are passed as numbers of pointer size. */
const SIGNATURES: Record<string, string[]> = {
  nvmlInit_v2: [],
  nvmlSystemGetDriverVersion: ['void *', 'uint32_t'],
  nvmlSystemGetCudaDriverVersion_v2: ['void *'],
  nvmlDeviceGetCount_v2: ['void *'],
  nvmlDeviceGetHandleByIndex_v2: ['uint32_t', 'void *'],
  nvmlDeviceGetName: ['uintptr_t', 'void *', 'uint32_t'],
  nvmlDeviceGetUUID: ['uintptr_t', 'void *', 'uint32_t'],
  nvmlDeviceGetPciInfo_v3: ['uintptr_t', 'void *'],
  nvmlDeviceGetCudaComputeCapability: ['uintptr_t', 'void *', 'void *'],
  nvmlDeviceGetMemoryInfo: ['uintptr_t', 'void *'],
  nvmlDeviceGetUtilizationRates: ['uintptr_t', 'void *'],
  nvmlDeviceGetTemperature: ['uintptr_t', 'uint32_t', 'void *'],
  nvmlDeviceGetPowerUsage: ['uintptr_t', 'void *'],
  nvmlDeviceGetEnforcedPowerLimit: ['uintptr_t', 'void *'],
  nvmlDeviceGetClockInfo: ['uintptr_t', 'uint32_t', 'void *'],
  nvmlDeviceGetCurrentClocksThrottleReasons: ['uintptr_t', 'void *'],
  nvmlDeviceGetTotalEccErrors: ['uintptr_t', 'uint32_t', 'uint32_t', 'void *'],
  nvmlDeviceGetRetiredPages: ['uintptr_t', 'uint32_t', 'void *', 'void *'],
  nvmlDeviceGetRemappedRows: ['uintptr_t', 'void *', 'void *', 'void *', 'void *'],
  nvmlEventSetCreate: ['void *'],
  nvmlDeviceRegisterEvents: ['uintptr_t', 'uint64_t', 'uintptr_t'],
  nvmlEventSetWait_v2: ['uintptr_t', 'void *', 'uint32_t'],
};

type Library = ReturnType<typeof koffi.load>;
type NativeFunction = ReturnType<Library['func']>;

export type NvmlArgument = number | bigint | Buffer | null;

export class NvmlLibrary {
  /** Told the name of each call before it is made and `undefined` after it returned. */
  onCall: (name: string | undefined) => void = () => {};
  private readonly library: Library;
  private readonly functions = new Map<string, NativeFunction | undefined>();

  /** Throws where the library cannot be loaded. */
  constructor(path: string) {
    this.library = koffi.load(path);
  }

  /** Calls a function. Returns its code; 13 where the library lacks it. */
  async code(name: string, ...args: NvmlArgument[]): Promise<number> {
    const call = this.find(name);
    if (!call) return 13;
    this.onCall(name);
    try {
      return await new Promise<number>((resolve, reject) => {
        call.async(...args, (error: Error | null, code: number) => (error ? reject(error) : resolve(code)));
      });
    } finally {
      this.onCall(undefined);
    }
  }

  /** Calls a function. Throws an `NvmlError` unless it succeeds. */
  async call(name: string, ...args: NvmlArgument[]): Promise<void> {
    const code = await this.code(name, ...args);
    if (code !== 0) throw new NvmlError(name, code);
  }

  private find(name: string): NativeFunction | undefined {
    if (!this.functions.has(name)) {
      let found: NativeFunction | undefined;
      try {
        found = this.library.func(name, 'int', SIGNATURES[name]);
      } catch {
        found = undefined; // older drivers lack newer functions
      }
      this.functions.set(name, found);
    }
    return this.functions.get(name);
  }
}
