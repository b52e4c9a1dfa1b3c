import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from 'plinth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './command.js';

/**
 * The samples import `plinth` and `plinth/diff` by name, as anyone's program does, and so run on the built package; on
 * the sources where `npm run test:file` asks for that.
 */
const built = process.env.PLINTH_TEST_SOURCES === '1' || existsSync(join(ROOT, 'dist/render/diff/index.js'));
if (!built) console.warn('The samples of the differentiable renderer are skipped: there is no dist (npm run build).');

let opened: Gpu | undefined;
const gpu = (): Gpu => opened!;

describe.skipIf(!built)('samples of the differentiable renderer', () => {
  beforeAll(async () => {
    const { openGpu } = await import('plinth');
    opened = await openGpu();
  });
  afterAll(() => opened?.dispose());

  it('find the corners of a triangle to a twentieth of a pixel', async () => {
    const { before, after } = await (await import('../examples/diff/triangle.js')).recoverTriangle(gpu());
    expect(before).toBeGreaterThan(5);
    expect(after).toBeLessThan(0.05);
  });

  it('find the colours and corners of a cube to one percent', async () => {
    const { before, after } = await (await import('../examples/diff/cube.js')).recoverCube(gpu());
    expect(before).toBeGreaterThan(0.1);
    expect(after).toBeLessThan(0.01);
  });

  it('find a texture to two percent', async () => {
    const { before, after } = await (await import('../examples/diff/texture.js')).recoverTexture(gpu());
    expect(before).toBeGreaterThan(0.15);
    expect(after).toBeLessThan(0.02);
  });

  it('find a light to a fifth of a stop', async () => {
    const { before, after } = await (await import('../examples/diff/environment.js')).recoverEnvironment(gpu());
    expect(before).toBeGreaterThan(1);
    expect(after).toBeLessThan(0.2);
  });

  it('find a camera to a thousandth', async () => {
    const { before, after } = await (await import('../examples/diff/pose.js')).recoverPose(gpu());
    expect(before).toBeGreaterThan(0.1);
    expect(after).toBeLessThan(0.001);
  });
});
