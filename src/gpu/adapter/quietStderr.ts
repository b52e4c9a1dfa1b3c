import { closeSync, fstatSync, readSync } from 'node:fs';
import koffi from 'koffi';

/** Lines that Dawn and the Vulkan loader write on every start, about things that Plinth deals with itself. */
const NOISE = [
  /artificially reduced from \d+ to \d+/,
  /^Warning: Couldn't load Vulkan/,
  // The loader's words, which Dawn passes on: no driver, or one that is installed in part. That no adapter answers says
  // it once, by code.
  /^Warning: (vkCreateInstance|vkEnumerate\w+|loader_\w+|terminator_\w+)\b/,
  /^Warning: .*cannot open shared object file/,
  /^\s+at .*third_party\/dawn/,
  /^WARNING: lavapipe is not a conformant vulkan implementation/,
];

interface LibC {
  dup(fd: number): number;
  dup2(from: number, to: number): number;
  memfd_create(name: string, flags: number): number;
}

let libc: LibC | undefined;

function loadLibC(): LibC {
  const library = koffi.load('libc.so.6');
  return {
    dup: library.func('int dup(int)'),
    dup2: library.func('int dup2(int, int)'),
    memfd_create: library.func('int memfd_create(const char *, unsigned int)'),
  };
}

/**
 * Runs a synchronous native call and drops the known noise that it writes to the standard error; anything else it
 * writes is passed on. On systems other than Linux, and with `PLINTH_GPU_LOG=1`, the call runs as it is.
 */
export function quietStderr<T>(call: () => T): T {
  if (process.platform !== 'linux' || process.env.PLINTH_GPU_LOG === '1') return call();
  try {
    libc ??= loadLibC();
  } catch {
    return call(); // no glibc
  }
  const file = libc.memfd_create('stderr', 0);
  const saved = libc.dup(2);
  if (file < 0 || saved < 0) {
    for (const fd of [file, saved]) if (fd >= 0) closeSync(fd);
    return call();
  }
  libc.dup2(file, 2);
  try {
    return call();
  } finally {
    libc.dup2(saved, 2);
    closeSync(saved);
    const text = Buffer.alloc(fstatSync(file).size);
    readSync(file, text, 0, text.length, 0);
    closeSync(file);
    const rest = withoutNoise(text.toString());
    if (rest) process.stderr.write(rest);
  }
}

/** Standard error output without the lines that say nothing to the user. */
export function withoutNoise(text: string): string {
  const lines = text.split('\n').filter((line) => !NOISE.some((pattern) => pattern.test(line)));
  return lines.some((line) => line.trim() !== '') ? lines.join('\n') : '';
}
