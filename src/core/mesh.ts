/**
 * An indexed triangle mesh. Triangles are counter-clockwise seen from outside. World space: right-handed, +Y up, scene
 * units. All attributes have one entry per vertex.
 */
export interface Mesh {
  /** x, y, z per vertex. */
  positions: Float32Array;
  /** Three vertex indices per triangle. */
  indices: Uint32Array;
  /** Unit normals, x, y, z per vertex. */
  normals?: Float32Array;
  /** Texture coordinates, u, v per vertex; glTF convention: (0, 0) is the upper left corner of the image. */
  uvs?: Float32Array;
  /** glTF tangents: x, y, z and handedness w = ±1 per vertex. */
  tangents?: Float32Array;
  /** Linear RGB in 0…1 per vertex. */
  colors?: Float32Array;
}

export const vertexCount = (mesh: Mesh): number => mesh.positions.length / 3;
export const triangleCount = (mesh: Mesh): number => mesh.indices.length / 3;
