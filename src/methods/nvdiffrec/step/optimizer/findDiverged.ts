import { diagonalOf } from '../../../../core/bounds.js';
import type { Parameters } from './parameters.js';

/** A surface that reaches this many of its diagonals away from where it was is no surface of the object. */
const FAR = 10;

/**
 * What has diverged, if anything. Parameters are clamped, which hides what is not a number: the optimiser's memory does
 * not forget it.
 */
export async function findDiverged(parameters: Parameters): Promise<'vertices' | 'light' | undefined> {
  const { gpu, mesh, light, bounds } = parameters;
  const count = mesh.positionCount * 3;
  const moments = await gpu.readFloat32(parameters.positionMoments, count * 2);
  const positions = await gpu.readFloat32(mesh.positions, count);
  const far = FAR * diagonalOf(bounds);
  const strayed = (v: number, i: number) => !(Math.abs(v - bounds.min[i % 3]) <= far);
  if (!moments.every(Number.isFinite) || positions.some(strayed)) return 'vertices';
  const lightMoments = await gpu.readFloat32(parameters.lightMoments, 6 * light.size ** 2 * 6);
  return lightMoments.every(Number.isFinite) ? undefined : 'light';
}
