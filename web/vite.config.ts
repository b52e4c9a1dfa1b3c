import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressed } from './compress.js';
import { sharedViewer } from './sharedViewer.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the page to `dist/web`, from where the service sends it. `npm run dev` adds the way to a service. */
export default defineConfig({
  root: here('.'),
  // Relative, so that the page also works behind a proxy that gives it a folder.
  base: './',
  plugins: [react(), sharedViewer(here('./src/share/viewer.ts')), compressed()],
  build: {
    outDir: here('../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // Small files stay files: the content-security policy allows nothing inline.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
});
