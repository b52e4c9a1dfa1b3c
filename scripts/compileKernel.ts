import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const SOURCE = new URL('../src/', import.meta.url).pathname;

/** Paths of all kernels in AssemblyScript. */
export const kernelSources = (): string[] =>
  readdirSync(SOURCE, { recursive: true })
    .map((name) => join(SOURCE, String(name)))
    .filter((name) => name.endsWith('.as'))
    .sort();

/** The WebAssembly of one kernel. Its memory is the host's (`env.memory`); it has no runtime and no other imports. */
export async function compileKernel(file: string): Promise<Uint8Array> {
  const text = readFileSync(file, 'utf8');
  const made: Uint8Array[] = [];
  const flags = ['--runtime', 'stub', '--noAssert', '--importMemory', '--memoryBase', '64', '--enable', 'simd'];
  const { error, stderr } = await asc.main(['kernel.ts', '--outFile', 'kernel.wasm', '-O3', '--converge', ...flags], {
    readFile: (name) => (name === 'kernel.ts' ? text : null),
    writeFile: (name, contents) => {
      if (name === 'kernel.wasm') made.push(contents as Uint8Array);
    },
    listFiles: () => [],
  });
  if (error || made.length !== 1) throw new Error(`${file}: ${error?.message}\n${stderr.toString()}`);
  return made[0];
}
