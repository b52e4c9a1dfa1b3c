/**
 * Plinth's own engine with prepared results: reading and reconstruction take no time, and everything after them is the
 * real thing, from the renaming of the result folder on. What the stand-in engine hides shows here.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Capture } from '../../src/capture/capture.js';
import type { Engine } from '../../src/jobs/worker/engine.js';
import { runTask } from '../../src/jobs/worker/runTask.js';
import { OutputFolder } from '../../src/pipeline/output.js';
import type { ReconstructionResult } from '../../src/pipeline/reconstruct.js';
import { PIXEL } from './standInEngine.js';

if (process.env.FAULT_FOLDER) await import('./faultPoints.js');

export const engine: Engine = {
  describe: async () => ({ device: 'prepared', kind: 'software', vendor: 'test' }),
  probe: async () => ({ ok: true, seconds: 0.001, adapter: 'prepared' }),
  run: (task, hooks) =>
    runTask(task, hooks, {
      read: async () => ({ dispose: async () => {} }) as Capture,
      async reconstruct(_capture, options) {
        const { method = 'fusion', preset = 'draft' } = options;
        options.onProgress?.({ stage: 'fuse', title: 'Fusing', fraction: 0.5, overall: 0.5, elapsedSeconds: 0.1 });
        const output = await OutputFolder.open(options.output, true);
        await mkdir(join(output.partial, 'previews'));
        await writeFile(join(output.partial, 'asset.glb'), Buffer.alloc(3000, `${task.job} ${options.output.at(-1)}`));
        await writeFile(join(output.partial, 'previews', 'textured-000.png'), PIXEL);
        await writeFile(
          join(output.partial, 'quality.json'),
          JSON.stringify({ schemaVersion: 1, job: task.job, method }),
        );
        await output.commit();
        const quality = { status: 'normal', psnr: 30, ssim: 0.9, method: { preset }, run: { timings: [] } };
        return { output: output.path, files: [], quality, warnings: [] } as unknown as ReconstructionResult;
      },
    }),
};
