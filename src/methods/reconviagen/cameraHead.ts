import { type Affine, type Linear, type Ops, scoped, type Tensor } from '../../nn/ops.js';
import { POSE } from './expectedTensors.js';
import type { NetworkWeights } from './networkWeights.js';
import { loadVisionBlock, type VisionBlock, visionBlock } from './visionBlock.js';

/** Of the norms with gains, and of the one that the pose modulates. */
const EPS = 1e-5;
const MODULATED_EPS = 1e-6;
/** Numbers of a head: twice those of VGGT's own, since its tokens are twice as wide. */
const HEAD = 128;
const ROUNDS = 4;

/**
 * VGGT's camera head (Wang et al. 2025): from the camera tokens of all photos their cameras, corrected in four rounds.
 */
export interface CameraHead {
  tokenNorm: Affine;
  trunkNorm: Affine;
  emptyPose: Float32Array;
  embed: Linear;
  modulation: Linear;
  trunk: VisionBlock[];
  fc1: Linear;
  fc2: Linear;
}

/** Reads the network; `weights` begin at `camera_head.`. */
export async function loadCameraHead(weights: NetworkWeights): Promise<CameraHead> {
  const trunk: VisionBlock[] = [];
  for (const part of weights.list('trunk')) trunk.push(await loadVisionBlock(part));
  return {
    tokenNorm: await weights.affine('token_norm'),
    trunkNorm: await weights.affine('trunk_norm'),
    emptyPose: await weights.numbers('empty_pose_tokens'),
    embed: await weights.linear('embed_pose'),
    modulation: await weights.linear('poseLN_modulation.1'),
    trunk,
    fc1: await weights.linear('pose_branch.fc1'),
    fc2: await weights.linear('pose_branch.fc2'),
  };
}

/** The camera of a square photo as the head states it. */
export interface HeadCamera {
  /** World to camera, OpenCV axes (x right, y down, z forwards), in the frame of photo 1. */
  translation: [number, number, number];
  /** x, y, z, w; of length 1. */
  rotation: [number, number, number, number];
  /** Angles of view in radians, top to bottom and left to right. */
  fov: [number, number];
}

/**
 * The poses of all photos as the network counts them: translation 3, quaternion 4, angles of view 2, of which nothing
 * is held to its range.
 * @param tokens camera tokens of the last layer, one row a photo
 * @param onRound sees the poses after each round
 */
export async function runCameraHead(
  ops: Ops,
  head: CameraHead,
  tokens: Tensor,
  signal?: AbortSignal,
  onRound: (round: number, poses: Float32Array) => void = () => {},
): Promise<Float32Array> {
  const photos = tokens.rows;
  const poses = new Float32Array(photos * POSE);
  for (let photo = 0; photo < photos; photo++) poses.set(head.emptyPose, photo * POSE);
  ops.open();
  const camera = ops.layerNorm(tokens, { eps: EPS, affine: head.tokenNorm });
  const normed = ops.layerNorm(camera, { eps: MODULATED_EPS });
  const [own, plain] = [await ops.read(camera), await ops.read(normed)];
  for (let round = 0; round < ROUNDS; round++) {
    const delta = scoped(ops, () => ops.linear(ops.tensor(poses, photos, POSE), head.embed, { activation: 'silu' }));
    const modulation = await ops.read(ops.linear(delta, head.modulation));
    ops.free(delta);
    let x = ops.tensor(modulated(own, plain, modulation, photos), photos, tokens.columns);
    for (const block of head.trunk) {
      const before = x;
      x = scoped(ops, () => visionBlock(ops, block, before, { eps: EPS, headSize: HEAD }), before);
      await ops.flush(signal);
    }
    const change = scoped(ops, () => {
      const hidden = ops.linear(ops.layerNorm(x, { eps: EPS, affine: head.trunkNorm }), head.fc1, {
        activation: 'gelu',
      });
      return ops.linear(hidden, head.fc2);
    });
    const changes = await ops.read(change);
    ops.free(x, change);
    // The first round's answer is the pose itself: what it began with stands for none.
    for (let i = 0; i < poses.length; i++) poses[i] = round === 0 ? changes[i] : poses[i] + changes[i];
    onRound(round, poses.slice());
  }
  ops.close();
  return poses;
}

/** gate · (plain (1 + scale) + shift) + own, each photo by a modulation of its own: few numbers, so not on the device. */
function modulated(own: Float32Array, plain: Float32Array, modulation: Float32Array, photos: number): Float32Array {
  const channels = own.length / photos;
  return own.map((x, i) => {
    const at = Math.floor(i / channels) * 3 * channels + (i % channels);
    const [shift, scale, gate] = [0, 1, 2].map((part) => modulation[at + part * channels]);
    return gate * (plain[i] * (1 + scale) + shift) + x;
  });
}

/** The cameras that poses stand for: quaternions of length 1, angles not below 0. */
export function headCameras(poses: Float32Array): HeadCamera[] {
  return Array.from({ length: poses.length / POSE }, (_, photo) => {
    const [tx, ty, tz, x, y, z, w, height, width] = poses.subarray(photo * POSE, (photo + 1) * POSE);
    const length = Math.hypot(x, y, z, w) || 1;
    return {
      translation: [tx, ty, tz],
      rotation: [x / length, y / length, z / length, w / length],
      fov: [Math.max(0, height), Math.max(0, width)],
    };
  });
}
