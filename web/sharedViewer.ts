import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

/** Builds the script of the files that are shared: one file without imports, which is put into each of them. */
export function sharedViewer(entry: string): Plugin {
  let folder: string;
  return {
    name: 'shared-viewer',
    apply: 'build',
    configResolved({ root, build: options }) {
      folder = resolve(root, options.outDir);
    },
    async closeBundle() {
      await build({
        configFile: false,
        root: dirname(fileURLToPath(import.meta.url)),
        publicDir: false,
        logLevel: 'warn',
        build: {
          outDir: join(folder, 'share'),
          emptyOutDir: true,
          target: 'es2022',
          chunkSizeWarningLimit: 1000,
          lib: { entry, formats: ['iife'], name: 'plinthShared', fileName: () => 'viewer.js' },
        },
      });
    },
  };
}
