/**
 * Reconstructs the bundled capture through the library: `npm run demo` once for the set-up, then `npx tsx
 * examples/library.ts`.
 */
import { fileURLToPath } from 'node:url';
import { readCapture, reconstruct } from 'plinth';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const capture = await readCapture(folder('captures/vase-six'));
console.log(`${capture.name}: ${capture.views.length} views, ${capture.format}`);

let stage = '';
const { quality, output, files } = await reconstruct(capture, {
  output: folder('../out/library'),
  preset: 'draft',
  onProgress: (p) => {
    if (p.stage !== stage) console.log(`${String(Math.round(p.overall * 100)).padStart(3)} %  ${p.title}`);
    stage = p.stage;
  },
});
console.log(quality.verdict);
for (const advice of quality.advice) console.log(`• ${advice.message}`);
console.log(`${files.length} files in ${output}`);
await capture.dispose();
