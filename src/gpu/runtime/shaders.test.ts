import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { nodeHost } from '../adapter/nodeHost.js';
import { kernels } from './kernel.js';
import { loadShaderSource, type ShaderSource, shaderErrors } from './shader.js';

const gpu = useGpu();
const root = fileURLToPath(new URL('../..', import.meta.url));
const files = readdirSync(root, { recursive: true }).map((f) => join(root, String(f)));
const shaders = files.filter((f) => f.endsWith('.wgsl')).sort();
const modules = files.filter((f) => f.endsWith('.ts') && !f.endsWith('.test.ts')).sort();

/** Files that others include need not stand alone. */
const included = new Set(
  shaders.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^\/\/ #include "([^"]+)"/gm)].map((m) => join(dirname(file), m[1])),
  ),
);

const FEATURE_OF: Record<string, string> = {
  f16: 'shader-f16',
  subgroups: 'subgroups',
  primitive_index: 'primitive-index',
};
const missingFeature = (source: ShaderSource): boolean =>
  [...source.code.matchAll(/^enable (\w+);/gm)].some((m) => !gpu().has(FEATURE_OF[m[1]] ?? m[1]));

describe('all shaders', () => {
  it('compile, each by itself or within the one that includes it', async () => {
    expect(shaders.length).toBeGreaterThan(0);
    const errors: string[] = [];
    for (const file of shaders) {
      if (included.has(file)) continue;
      const source = loadShaderSource(nodeHost, pathToFileURL(file));
      if (!missingFeature(source)) errors.push(...(await shaderErrors(gpu().device, source, basename(file))));
    }
    expect(errors).toEqual([]);
  });

  it('fit the bindings, entry points and constants of the kernels that run them', async () => {
    for (const file of modules) {
      if (/\bdefineKernel\b/.test(readFileSync(file, 'utf8'))) await import(pathToFileURL(file).href);
    }
    expect(kernels.length).toBeGreaterThan(0);
    const errors: string[] = [];
    for (const kernel of kernels) {
      if (missingFeature(loadShaderSource(nodeHost, kernel.definition.shader))) continue;
      await kernel.compile(gpu()).catch((error: Error) => errors.push(error.message));
    }
    expect(errors).toEqual([]);
  });

  it('are used by a kernel or named by a module', () => {
    const code = modules.map((file) => readFileSync(file, 'utf8')).join('\n');
    const used = new Set(kernels.map((kernel) => fileURLToPath(kernel.definition.shader)));
    const unused = shaders.filter((file) => !included.has(file) && !used.has(file) && !code.includes(basename(file)));
    expect(unused.map((file) => relative(root, file))).toEqual([]);
  });

  it('take values in place of their own constants, and refuse those they have not', () => {
    const url = new URL('../../nn/kernels/attention.wgsl', import.meta.url);
    expect(loadShaderSource(nodeHost, url, { SIZE: 128 }).code).toContain('const SIZE = 128u;');
    expect(() => loadShaderSource(nodeHost, url, { SIZES: 1 })).toThrow(/attention\.wgsl has no constant SIZES/);
  });

  it('name file and line of an error, also within an included file', async () => {
    const source = loadShaderSource(nodeHost, new URL('./testing/broken.includes.txt', import.meta.url));
    const [error] = await shaderErrors(gpu().device, source);
    expect(error).toMatch(/broken\.included\.txt:2:\d+ .*unresolved/);
  });
});
