import type { Asset } from '../../core/asset.js';
import { throwIfCancelled } from '../../core/errors.js';
import type { Mesh } from '../../core/mesh.js';
import { scatterPositions } from '../../render/diff/geometry/mesh.js';
import { recordNormals } from '../../render/diff/geometry/normals.js';
import { lightToEquirectangular } from '../../render/diff/light/light.js';
import { unpackMaterial } from '../../render/diff/shade/material.js';
import { mapTexels } from '../shared/texelMap.js';
import { spreadTexels, withRing } from './start/spreadTexels.js';
import type { Parameters } from './step/optimizer/parameters.js';

/** Reads the result back: mesh, 8-bit maps with filled gutters, light. */
export async function finish(optimised: Parameters, startMesh: Mesh, signal?: AbortSignal): Promise<Asset> {
  const { gpu, mesh, material, light } = optimised;
  const { width, height } = material;
  gpu.run((batch) => recordNormals(batch, mesh));
  const shared = await gpu.readFloat32(mesh.positions, mesh.positionCount * 3);
  const normals = await gpu.readFloat32(mesh.normals, mesh.positionCount * 4);
  const texels = await gpu.readFloat32(material.texels, width * height * 8);
  const parameters = await gpu.readFloat32(light.parameters, 6 * light.size ** 2 * 3);
  throwIfCancelled(signal);
  const map = await mapTexels(startMesh, width, height, signal);
  await spreadTexels(texels, withRing(map.triangle, width, height), width, height, signal);
  const unitNormals = normals.filter((_, i) => i % 4 !== 3);
  const vertexNormals = scatterPositions(unitNormals, mesh.vertexToPosition);
  return {
    mesh: {
      ...startMesh,
      positions: scatterPositions(shared, mesh.vertexToPosition),
      normals: vertexNormals,
      tangents: perpendicular(startMesh.tangents!, vertexNormals),
    },
    material: { kind: 'pbr', ...unpackMaterial(texels, width, height) },
    environment: lightToEquirectangular(parameters, light.size),
  };
}

/** Tangents made perpendicular to normals that have moved, of unit length. */
export function perpendicular(tangents: Float32Array, normals: Float32Array): Float32Array {
  const out = Float32Array.from(tangents);
  for (let i = 0; i < normals.length / 3; i++) {
    const n = normals.subarray(i * 3, i * 3 + 3);
    const t = out.subarray(i * 4, i * 4 + 3);
    const along = n[0] * t[0] + n[1] * t[1] + n[2] * t[2];
    for (let k = 0; k < 3; k++) t[k] -= along * n[k];
    let length = Math.hypot(t[0], t[1], t[2]);
    if (length < 1e-6) {
      const axis = Math.abs(n[0]) < 0.9 ? 0 : 1;
      for (let k = 0; k < 3; k++) t[k] = (k === axis ? 1 : 0) - n[axis] * n[k];
      length = Math.hypot(t[0], t[1], t[2]);
    }
    for (let k = 0; k < 3; k++) t[k] /= length;
  }
  return out;
}
