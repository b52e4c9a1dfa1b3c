import { readFileSync } from 'node:fs';

/** The part of WebAssembly's interface that is used here: Node's types have none. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface WasmHost {
  Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
}
const wasm = (globalThis as unknown as { WebAssembly: WasmHost }).WebAssembly;

/** Functions of a kernel module; addresses and counts are whole numbers. */
export type KernelFunctions<Names extends string> = Record<Names, (...values: number[]) => number>;

/** Memory that several kernel modules work in: blocks are handed out one after the other and given back all at once. */
export class KernelMemory {
  private readonly memory = new wasm.Memory({ initial: 1, maximum: 65536 });
  private used = START;

  /** The address of a new block, aligned to 16 bytes. Views made before may be detached by it. */
  reserve(bytes: number): number {
    const at = this.used;
    this.used = (at + bytes + 15) & ~15;
    const missing = Math.ceil((this.used + 64 - this.memory.buffer.byteLength) / 65536);
    if (missing > 0) this.memory.grow(missing);
    return at;
  }

  /** Gives everything back. */
  clear(): void {
    this.used = START;
  }

  floats = (at: number, length: number): Float32Array => new Float32Array(this.memory.buffer, at, length);
  integers = (at: number, length: number): Int32Array => new Int32Array(this.memory.buffer, at, length);
  bytes = (at: number, length: number): Uint8Array => new Uint8Array(this.memory.buffer, at, length);

  /** The functions of the `.wasm` file at `url`, working in this memory. */
  load<Names extends string>(url: URL): KernelFunctions<Names> {
    const { exports } = new wasm.Instance(new wasm.Module(readFileSync(url)), { env: { memory: this.memory } });
    return exports as KernelFunctions<Names>;
  }
}

/** Addresses below are left to the modules. */
const START = 1024;
