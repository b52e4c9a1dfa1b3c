import { type BufferGeometry, Mesh, type Object3D, Vector3 } from 'three';
import type { Mesh as CoreMesh } from '../../../src/core/mesh.js';

/** Positions in the world and triangles of all parts of a model. */
export function meshOf(model: Object3D | undefined): CoreMesh {
  const positions: number[] = [];
  const indices: number[] = [];
  const point = new Vector3();
  model?.traverse((child) => {
    // Wires are drawn over parts that count already.
    if (!(child instanceof Mesh) || child.parent instanceof Mesh) return;
    const geometry = child.geometry as BufferGeometry;
    const { position } = geometry.attributes;
    const first = positions.length / 3;
    for (let i = 0; i < position.count; i++) {
      point.fromBufferAttribute(position, i).applyMatrix4(child.matrixWorld);
      positions.push(point.x, point.y, point.z);
    }
    const count = geometry.index?.count ?? position.count;
    for (let i = 0; i < count; i++) indices.push(first + (geometry.index ? geometry.index.getX(i) : i));
  });
  return { positions: new Float32Array(positions), indices: new Uint32Array(indices) };
}
