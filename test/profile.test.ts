/** `plinth reconstruct --profile` and its like for programs, on a capture that takes little time. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TraceEvent } from '../src/gpu/runtime/profile.js';
import { reconstruct } from '../src/pipeline/reconstruct.js';
import { useFolders, writeTransforms } from './captureScene.js';
import { plinth } from './command.js';
import { useGpu } from './gpu.js';
import { sphereCapture } from './sphereCapture.js';

const newFolder = useFolders();
const gpu = useGpu();
const quick = '-p draft --triangles 500 --texture-size 256 -O maxResolution=32 --no-previews'.split(' ');
const sha = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const events = (file: string): TraceEvent[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: TraceEvent[] }).traceEvents;

describe('--profile', () => {
  it('prints a table, writes a trace, and leaves the bytes of the result as they are', async () => {
    const root = await newFolder();
    const capture = join(root, 'capture');
    await writeTransforms(capture);
    const [plain, profiled] = [join(root, 'plain'), join(root, 'profiled')];
    expect(await plinth('reconstruct', capture, '-o', plain, ...quick)).toMatchObject({ code: 0 });
    expect(existsSync(`${plain}.profile.json`)).toBe(false);
    const { code, stdout, stderr } = await plinth(
      'reconstruct',
      capture,
      '-o',
      profiled,
      ...quick,
      '--profile',
      '--json',
    );
    expect(code).toBe(0);
    expect(sha(join(profiled, 'asset.glb'))).toBe(sha(join(plain, 'asset.glb')));
    for (const line of stdout.trim().split('\n')) JSON.parse(line);
    expect(stderr).toMatch(/^Profile on .+, the GPU at work for /);
    expect(stderr).toMatch(/\n {2}fuse +\d/);
    expect(stderr).toMatch(/\n {2}marchingCubes\.count +\d.*%/);
    expect(stderr).toContain(`${profiled}.profile.json`);
    const trace = events(`${profiled}.profile.json`);
    expect(trace.filter((e) => e.cat === 'stage').map((e) => e.name)).toContain('texture');
    expect(trace).toContainEqual(
      expect.objectContaining({
        name: 'marchingCubes.count',
        ph: 'X',
        args: { stage: 'fuse', calls: expect.any(Number) },
      }),
    );
  });

  it('refuses a place where no trace can be, before any work', async () => {
    const root = await newFolder();
    const out = join(root, 'out');
    const nowhere = await plinth('reconstruct', root, '-o', out, '--profile', join(root, 'none', 'trace.json'));
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no folder') });
    const folder = await plinth('reconstruct', root, '-o', out, '--profile', root);
    expect(folder).toMatchObject({ code: 2, stderr: expect.stringContaining('is a folder') });
  });
});

describe('onProfile', () => {
  it('asks for a device that keeps times', async () => {
    const output = join(await newFolder(), 'out');
    const request = reconstruct(sphereCapture(), { output, gpu: gpu(), onProfile: () => {} });
    await expect(request).rejects.toMatchObject({ code: 'OPTION_INVALID', subject: 'onProfile' });
    expect(existsSync(output)).toBe(false);
  });
});
