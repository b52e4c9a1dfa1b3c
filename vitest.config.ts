import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What imports the package by its name gets its built entries, or the sources where tests run on those. */
const sources = process.env.PLINTH_TEST_SOURCES === '1';
const entry = (file: string): string =>
  fileURLToPath(new URL(sources ? `src/${file}.ts` : `dist/${file}.js`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^plinth$/, replacement: entry('index') },
      { find: /^plinth\/diff$/, replacement: entry('render/diff/index') },
    ],
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
