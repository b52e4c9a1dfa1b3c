import { recordMaterialMips } from '../../../../render/diff/shade/material.js';
import { BALANCE_FLOATS } from '../balance.js';
import { CLUSTER_FLOATS } from '../clusters.js';
import type { Parameters } from './parameters.js';

/** Parameters and the optimiser's memory, as read back. */
export type OptimizerState = Record<
  | 'positions'
  | 'positionMoments'
  | 'texels'
  | 'moment1'
  | 'moment2'
  | 'light'
  | 'lightMoments'
  | 'balance'
  | 'clusters',
  Float32Array
> & {
  /** Where cameras are refined. */
  cameras?: Float32Array;
};

/** Reads back what `writeState` takes. */
export async function readState(parameters: Parameters): Promise<OptimizerState> {
  const { gpu, mesh, material, light, moving } = parameters;
  const texels = material.width * material.height * 8;
  const lightCount = 6 * light.size ** 2 * 3;
  const positions = mesh.positionCount * 3;
  return {
    positions: await gpu.readFloat32(mesh.positions, positions),
    positionMoments: await gpu.readFloat32(parameters.positionMoments, positions * 2),
    texels: await gpu.readFloat32(material.texels, texels),
    moment1: await gpu.readFloat32(material.moment1, texels),
    moment2: await gpu.readFloat32(material.moment2, texels),
    light: await gpu.readFloat32(light.parameters, lightCount),
    lightMoments: await gpu.readFloat32(parameters.lightMoments, lightCount * 2),
    balance: await gpu.readFloat32(parameters.balance, BALANCE_FLOATS),
    clusters: await gpu.readFloat32(parameters.clusters.buffer, CLUSTER_FLOATS),
    ...(moving && { cameras: await gpu.readFloat32(moving.state) }),
  };
}

/** Goes back to a state that was read. */
export function writeState(parameters: Parameters, state: OptimizerState): void {
  const { gpu, mesh, material, light, moving } = parameters;
  gpu.write(mesh.positions, state.positions);
  gpu.write(parameters.positionMoments, state.positionMoments);
  gpu.write(material.texels, state.texels);
  gpu.write(material.moment1, state.moment1);
  gpu.write(material.moment2, state.moment2);
  gpu.write(light.parameters, state.light);
  gpu.write(parameters.lightMoments, state.lightMoments);
  gpu.write(parameters.balance, state.balance);
  gpu.write(parameters.clusters.buffer, state.clusters);
  if (moving && state.cameras) gpu.write(moving.state, state.cameras);
  gpu.run((batch) => recordMaterialMips(batch, material));
}
