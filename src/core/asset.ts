import type { Camera } from './camera.js';
import type { ColorImage, HdrImage } from './image.js';
import type { Vec3 } from './math.js';
import type { Mesh } from './mesh.js';

/** glTF 2.0 metallic-roughness material with textures. */
export interface Material {
  /**
   * `baked`: base colour holds the light of the capture too and is to be shown unlit (KHR_materials_unlit);
   * `pbr`: base colour is albedo and the asset can be lit anew.
   */
  kind: 'baked' | 'pbr';
  /** sRGB, alpha 255 everywhere. */
  baseColor: ColorImage;
  /** Linear: red = occlusion, green = roughness, blue = metallic. `pbr` only. */
  occlusionRoughnessMetallic?: ColorImage;
  /** Linear tangent-space normal map, glTF convention (+Y up). `pbr` only. */
  normal?: ColorImage;
}

/** What every method returns: a mesh with normals and UVs, its material and, from inverse rendering, the light. */
export interface Asset {
  /** Has `normals` and `uvs`. */
  mesh: Mesh;
  material: Material;
  /**
   * Equirectangular light, linear radiance. Direction for pixel (u, v) in 0…1: azimuth = (u − 0.5)·2π measured from −Z
   * towards +X, polar angle = v·π from +Y.
   */
  environment?: HdrImage;
  /**
   * Cameras that the method corrected or found, by name of view: pose, focal lengths and, where it is another, the
   * principal point at the picture's full size. Absent where it took them as they were.
   */
  cameras?: Record<string, Pick<Camera, 'cameraToWorld' | 'fx' | 'fy'> & Partial<Pick<Camera, 'cx' | 'cy'>>>;
  /**
   * Views whose camera was not found well enough to be compared with: they are left out of the assessment, unless it is
   * all of them.
   */
  unplaced?: readonly string[];
  /**
   * Where the mesh's own origin lies in the frame of the input (turned to +Y up), for inputs that stand too far from
   * their origin for 32-bit numbers. Absent: the frames are the same.
   */
  origin?: Vec3;
  /** Facts of the method for the report, JSON-serialisable. */
  facts?: Record<string, unknown>;
}

/** Files that an asset can be written as, in the order in which they are listed. */
export const ASSET_FORMATS = ['glb', 'obj', 'ply', 'usdz'] as const;
/** One of the formats. */
export type AssetFormat = (typeof ASSET_FORMATS)[number];
