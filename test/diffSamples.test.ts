import { describe, expect, it } from 'vitest';
import { recoverCube } from '../examples/diff/cube.js';
import { recoverEnvironment } from '../examples/diff/environment.js';
import { recoverPose } from '../examples/diff/pose.js';
import { recoverTexture } from '../examples/diff/texture.js';
import { recoverTriangle } from '../examples/diff/triangle.js';
import { useGpu } from './gpu.js';

const gpu = useGpu();

describe('samples of the differentiable renderer', () => {
  it('find the corners of a triangle to a twentieth of a pixel', async () => {
    const { before, after } = await recoverTriangle(gpu());
    expect(before).toBeGreaterThan(5);
    expect(after).toBeLessThan(0.05);
  });

  it('find the colours and corners of a cube to one percent', async () => {
    const { before, after } = await recoverCube(gpu());
    expect(before).toBeGreaterThan(0.1);
    expect(after).toBeLessThan(0.01);
  });

  it('find a texture to two percent', async () => {
    const { before, after } = await recoverTexture(gpu());
    expect(before).toBeGreaterThan(0.15);
    expect(after).toBeLessThan(0.02);
  });

  it('find a light to a fifth of a stop', async () => {
    const { before, after } = await recoverEnvironment(gpu());
    expect(before).toBeGreaterThan(1);
    expect(after).toBeLessThan(0.2);
  });

  it('find a camera to a thousandth', async () => {
    const { before, after } = await recoverPose(gpu());
    expect(before).toBeGreaterThan(0.1);
    expect(after).toBeLessThan(0.001);
  });
});
