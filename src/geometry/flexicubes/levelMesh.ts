import type { Mesh } from '../../core/mesh.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import {
  BRICK_SAMPLES,
  createIsoGrid,
  destroyIsoGrid,
  eachSample,
  type IsoLattice,
  latticeSize,
  setBricks,
} from './brickGrid.js';
import { countIsoSurface, createIsoSurface, destroyIsoSurface, recordExtract } from './extract.js';
import { surfaceBricks } from './levelField.js';

/**
 * The surface of a field on a lattice as a closed manifold mesh, all weights 1.
 * @param values signed distances in voxels as in `LevelField`; positive on the lattice's border
 */
export async function levelMesh(gpu: Gpu, values: Float32Array, lattice: IsoLattice): Promise<Mesh> {
  const wanted = surfaceBricks(values, lattice);
  const grid = createIsoGrid(gpu, lattice, Math.max(1, wanted.length));
  try {
    setBricks(gpu, grid, wanted);
    const [nx, ny] = latticeSize(lattice);
    const data = new Float32Array(grid.slots * BRICK_SAMPLES * 8);
    for (let slot = 0; slot < grid.slots; slot++) {
      eachSample(grid, slot, (index, x, y, z) => {
        data[index * 8] = values[(z * ny + y) * nx + x];
      });
    }
    gpu.write(grid.samples, data);
    const { vertices, quads } = await countIsoSurface(gpu, grid);
    const surface = createIsoSurface(gpu, Math.max(1, vertices), Math.max(1, quads));
    try {
      gpu.run((batch) => recordExtract(batch, grid, surface));
      const positions = await gpu.readFloat32(surface.positions, (vertices + quads) * 3);
      const words = await gpu.readUint32(surface.triangles, quads * 96);
      const indices = new Uint32Array(quads * 12);
      for (let i = 0; i < indices.length; i++) indices[i] = words[Math.floor(i / 3) * 24 + (i % 3)];
      return { positions, indices };
    } finally {
      destroyIsoSurface(surface);
    }
  } finally {
    destroyIsoGrid(grid);
  }
}
