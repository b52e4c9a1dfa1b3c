import type { Bounds } from '../../core/bounds.js';
import { sub, type Vec3 } from '../../core/math.js';

/** Cells along each side of a brick. */
export const BRICK = 8;

/** A regular grid of samples around the bounds, cut into bricks of 8×8×8 cells. */
export interface Grid {
  /** World position of sample (0, 0, 0). */
  origin: Vec3;
  /** Distance of neighbouring samples, in scene units. */
  voxel: number;
  /** Bricks along each axis. */
  bricks: Vec3;
  bounds: Bounds;
}

/**
 * A grid with `resolution` cells along the longest side of the bounds and a margin of one and a half cells all around.
 */
export function makeGrid(bounds: Bounds, resolution: number): Grid {
  const size = sub(bounds.max, bounds.min);
  const voxel = Math.max(...size) / resolution;
  const margin = 1.5 * voxel;
  return {
    origin: bounds.min.map((v) => v - margin) as Vec3,
    voxel,
    bricks: size.map((s) => Math.ceil((s + 2 * margin) / (BRICK * voxel))) as Vec3,
    bounds,
  };
}

export const brickTotal = (grid: Grid): number => grid.bricks[0] * grid.bricks[1] * grid.bricks[2];

/** x | y << 10 | z << 20. */
export function packBrick(grid: Grid, brick: number): number {
  const x = brick % grid.bricks[0];
  const y = Math.floor(brick / grid.bricks[0]) % grid.bricks[1];
  const z = Math.floor(brick / (grid.bricks[0] * grid.bricks[1]));
  return (x | (y << 10) | (z << 20)) >>> 0;
}

export const brickLayer = (grid: Grid, brick: number): number => Math.floor(brick / (grid.bricks[0] * grid.bricks[1]));
