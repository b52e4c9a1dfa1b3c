import { expect, it } from 'vitest';
import { openModel } from '../../../test/goldenModel.js';
import { Golden } from '../../../test/goldens.js';
import { describeOps } from '../../../test/networks.js';
import { headCameras, loadCameraHead, runCameraHead } from './cameraHead.js';
import { visionBlock } from './visionBlock.js';

describeOps('the camera head', (ops) => {
  it('gives the reference’s poses after each round', async () => {
    const golden = await Golden.open('modules/camera_head');
    const head = await loadCameraHead(await openModel(ops(), 'vggt/camera_head', 'camera_head.'));
    const { data, shape } = golden.tensor('in.tokens');
    const tokens = ops().tensor(data, shape[0], shape[1]);
    const normed = ops().layerNorm(tokens, { eps: 1e-5, affine: head.tokenNorm });
    golden.check('mid.token_norm', await ops().read(normed));
    const rounds: number[] = [];
    const poses = await runCameraHead(ops(), head, tokens, undefined, (round, now) => {
      rounds.push(round);
      golden.check(`mid.round${round}`, now);
    });
    expect(rounds).toEqual([0, 1, 2, 3]);
    golden.check('out.poses', poses);
  });

  it('gives other poses where a block looks through other heads or another eps', async () => {
    // That both are seen by the golden at all.
    const head = await loadCameraHead(await openModel(ops(), 'vggt/camera_head', 'camera_head.'));
    const golden = await Golden.open('modules/camera_head');
    const tokens = ops().tensor(golden.data('mid.token_norm'), 3, 256);
    const run = async (eps: number, headSize: number) =>
      await ops().read(visionBlock(ops(), head.trunk[0], tokens, { eps, headSize }));
    const right = await run(1e-5, 128);
    const apart = (other: Float32Array): number => Math.max(...right.map((x, i) => Math.abs(x - other[i])));
    expect(apart(await run(1e-6, 128))).toBeGreaterThan(1e-2);
    expect(apart(await run(1e-5, 64))).toBeGreaterThan(1e-2);
  });
});

it('poses become cameras: quaternions of length 1, angles not below 0', () => {
  const [camera] = headCameras(Float32Array.of(1, 2, 3, 0, 0, 3, 4, 0.5, -1));
  expect(camera.translation).toEqual([1, 2, 3]);
  for (const [i, x] of [0, 0, 0.6, 0.8].entries()) expect(camera.rotation[i]).toBeCloseTo(x, 6);
  expect(camera.fov).toEqual([0.5, 0]);
});
