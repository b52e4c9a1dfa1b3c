import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Where tests run on the sources, so does what imports the package by its name. */
const sources = process.env.PLINTH_TEST_SOURCES === '1';
const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  resolve: {
    alias: sources
      ? [
          { find: /^plinth$/, replacement: path('src/index.ts') },
          { find: /^plinth\/diff$/, replacement: path('src/render/diff/index.ts') },
        ]
      : [],
  },
  test: {
    include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts', 'web/**/*.test.ts'],
    // Each file gets a process of its own: a lost device or a crashed driver takes only that file with it.
    pool: 'forks',
    maxWorkers: 2,
    // Limits catch what hangs, and nothing else: on a machine with ten times the work everything takes ten times as long.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000 } },
    reporters: ['default'],
  },
});
