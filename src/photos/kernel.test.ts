import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { compileKernel, kernelSources } from '../../scripts/compileKernel.js';

it.each(kernelSources().map((file) => [basename(file), file]))(
  '%s is what was compiled and checked in',
  async (_, file) => {
    const checkedIn = readFileSync(file.replace(/\.as$/, '.wasm'));
    expect(Buffer.compare(checkedIn, await compileKernel(file))).toBe(0);
  },
);
