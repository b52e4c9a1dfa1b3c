/**
 * The differentiable renderer: what its operations share. Everything lives in storage buffers on the device and
 * everything is recorded into a `Batch`: an iteration of an optimisation is one submission and reads nothing back.
 *
 * Conventions
 * - N views of W × H pixels; pixel index `(n * H + y) * W + x`, row 0 on top, pixel centres at +0.5. Numbers are f32
 * unless stated.
 * - Colour is linear and premultiplied, vec4f (r, g, b, coverage); background is (0, 0, 0, 0).
 * - `gradient` of a buffer is the derivative of a scalar loss, **summed** over pixels (never averaged), with respect to
 * its elements.
 * - Gradients that many pixels scatter into are fixed-point i32: value = integer / scale (see `GradientScales`).
 * Integer addition
 *   commutes, so results are the same bytes on every run. Gradients that can be gathered are f32 and need no scale.
 * - Visibility (which triangle a pixel shows) is piecewise constant: its gradient comes from `antialias` alone.
 *
 * The fused path, one iteration over a batch of views (all `record…(batch, …)`):
 *
 *     recordNormals          positions → vertex normals                                   normals.ts
 *     recordLight            light parameters → filtered light                            light.ts
 *     recordGeometry         positions, cameras → clip positions, triangle ids, outlines  geometry.ts
 *     recordShade            → frame.color                                                shade.ts
 *     recordAntialias        frame.color → frame.antialiased                              antialias.ts
 *     recordLoss             frame.antialiased, targets → frame.gradient, frame.sums      loss.ts
 *     recordDepthLoss        frame.ids, depth maps → clip gradients, frame.sums           depthLoss.ts (where there is depth)
 *     recordAntialiasBackward   frame.gradient → frame.colorGradient, clip gradients      antialias.ts
 *     recordShadeBackward       frame.colorGradient → texel, light, clip, normal gradients   shadeBackward.ts
 *     recordGeometryBackward    clip and normal gradients → gradients.positions (f32)     geometryBackward.ts
 *     recordLightBackward       filtered light's gradient → gradients.light (f32)         light.ts
 *     recordCameraBackward   clip gradients → gradients.cameras                           geometryBackward.ts (where cameras move)
 *     recordCameraStep       Adam on pose and focal length                                cameraStep.ts
 *     recordMaterialStep     Adam on texels that were seen, then their mip levels         material.ts
 *     recordAdam             Adam on any parameter buffer                                 adam.ts
 *     recordClearGradients   for the next iteration                                       gradients.ts
 *
 * The single operations (rasterize, interpolate, texture, textureCube, antialias), each with its gradient, are in files
 * of these names.
 */

/** Views of one frame at most: their indices travel in a uniform block. */
export const MAX_VIEWS = 16;

/**
 * Cameras on the device. Record of 8 vec4f per camera: world-to-clip (4 columns), eye, and three vectors of the viewing
 * ray.
 */
export interface DiffCameras {
  /**
   * f32 [count × 32]: columns of world-to-clip (WebGPU clip space); eye xyz, 0; then `a`, `b`, `c` (xyz, 0) so that the
   * ray through normalised device coordinates (x, y) is a + x·b + y·c (not of unit length).
   */
  buffer: GPUBuffer;
  count: number;
}

/**
 * A mesh whose positions are shared by all corners at the same place, so that a UV seam neither opens nor creases: P
 * positions, T triangles. Normals belong to positions (smooth); texture coordinates and tangents belong to corners.
 */
export interface DiffMesh {
  positionCount: number;
  triangleCount: number;
  /** Parameter: f32 [P × 3], scene units. */
  positions: GPUBuffer;
  /** f32 [P × 4]: unit normal, 0; written by `recordNormals`, or uploaded. */
  normals: GPUBuffer;
  /**
   * u32 [T × 24], six vec4 per triangle: (position indices, 0), (opposite position across edges 01, 12, 20 or
   * 0xffffffff, 0), then as f32: three × (tangent xyz, u), and (v0, v1, v2, handedness of the tangent frame ±1).
   */
  triangles: GPUBuffer;
  /**
   * u32: offsets [P + 1] into the list of corners around each position that follows ([3T], corner = triangle × 3 + k).
   */
  corners: GPUBuffer;
  /** For each vertex of the mesh it was made from: its position index. */
  vertexToPosition: Uint32Array;
}

/**
 * glTF metallic-roughness material as one pyramid of texels, 8 f32 each: base colour r, g, b (linear, 0…1), occlusion,
 * roughness, metallic (0…1), and slopes x, y of the normal: tangent-space normal = normalize(x, y, 1). Size: powers of
 * two; wrap: repeat. Level l has `max(1, width >> l) × max(1, height >> l)` texels, starts at `levelOffset(l)`, and is
 * the 2 × 2 mean of the level above.
 */
export interface DiffMaterial {
  width: number;
  height: number;
  /** Down to 1 × 1. */
  levels: number;
  /** In all levels. */
  texelCount: number;
  /** Parameter (level 0) with its mips: f32 [texelCount × 8]. */
  texels: GPUBuffer;
  /** First and second moments of Adam: f32 [width × height × 8] each. */
  moment1: GPUBuffer;
  moment2: GPUBuffer;
}

/**
 * Environment light. The parameter is the logarithm of the radiance on a cube map; shading reads maps filtered from it
 * for six steps of roughness (0, 0.2 … 1, as `AssetRenderer`) and for irradiance / π, which are linear in radiance.
 */
export interface DiffLight {
  /** Face size of the cube map S: a power of two, 16…64. */
  size: number;
  /** Parameter: f32 [6 × S × S × 3], natural logarithm of radiance; faces +x −x +y −y +z −z in WebGPU's layout. */
  parameters: GPUBuffer;
  /**
   * vec4f per texel of all filtered maps, each face with a border of one texel of its neighbours; then the table of the
   * BRDF.
   */
  filtered: GPUBuffer;
  /** Texels in `filtered` that take gradients. */
  texelCount: number;
}

/** What is rendered. */
export interface DiffScene {
  mesh: DiffMesh;
  cameras: DiffCameras;
  material: DiffMaterial;
  /** Absent: unlit, the base colour is the picture. */
  light?: DiffLight;
}

/** Buffers of one batch of views of one size; reused from iteration to iteration. */
export interface Frame {
  width: number;
  height: number;
  /** Views the buffers are made for, at most `MAX_VIEWS`; also N · H ≤ maxTextureDimension2D. */
  capacity: number;
  /**
   * Indices into `DiffCameras` of the views that the next recorded operations render; set before recording. At most
   * `capacity`.
   */
  views: readonly number[];
  /**
   * vec4f: 4 per view (ray vectors a, b, c; zeros), then 2 per view and position: clip position and normal (xyz, 0).
   */
  vertices: GPUBuffer;
  /** u32 [pixels]: triangle + 1, 0 = background. */
  ids: GPUBuffer;
  /**
   * u32 [pixels × 2]: the outline that passes between a pixel's centre and that of its right, of its lower neighbour; 0
   * = none, else distance from the centre in front, in steps, << 22 | (triangle × 3 + edge) << 1 | whether the first
   * pixel is in front.
   */
  outlines: GPUBuffer;
  /** vec4f [pixels]: shaded. */
  color: GPUBuffer;
  /** vec4f [pixels]: after antialiasing. */
  antialiased: GPUBuffer;
  /** vec4f [pixels]: gradient of `antialiased`. */
  gradient: GPUBuffer;
  /** vec4f [pixels]: gradient of `color`. */
  colorGradient: GPUBuffer;
  /** i32 [N × 4]: fixed-point sums of the loss; decode with `readLoss`. */
  sums: GPUBuffer;
}

/**
 * Units per 1.0 of the fixed-point gradients, powers of two. The sum of what all pixels add to one element must stay
 * below 2³¹ / scale; elements beyond half of that are reported (`readOverflow`).
 */
export interface GradientScales {
  /** Texels. Default 2¹⁸ (range ±8,192, resolution 4·10⁻⁶). */
  texel: number;
  /** Clip positions. Default 2¹². */
  clip: number;
  /** Vertex normals. Default 2¹⁴. */
  normal: number;
  /** Filtered light. Default 2¹². */
  light: number;
}

/** Gradient buffers of one scene for frames of up to `capacity` views. */
export interface Gradients {
  scales: GradientScales;
  /** i32 [texelCount × 8]: gradient of the material's texels on all levels. */
  texels: GPUBuffer;
  /**
   * i32: clip (x, y, w; third is w) and normal (x, y, z) gradients as 8 per view and position: x, y, w, 0, nx, ny, nz,
   * 0; then 4 per texel of the filtered light; then one flag per tile of each material level (`pyramidLayout`); then 1
   * if any element came near the end of its range.
   */
  scatter: GPUBuffer;
  /** Places in `scatter`, in elements. */
  lightOffset: number;
  flagOffset: number;
  overflowOffset: number;
  /** f32 [P × 3]: gradient of positions. */
  positions: GPUBuffer;
  /** f32 [6 × S × S × 3]: gradient of the light's parameters; absent when the scene is unlit. */
  light?: GPUBuffer;
  /** f32 [camera count × 16]: gradient of world-to-clip, columns, written by `recordCameraBackward`. */
  cameras: GPUBuffer;
}

/** How shading reads the material. */
export interface ShadeOptions {
  /** Gradient through texture coordinates and normals to the vertices. Default true; false is about a third cheaper. */
  geometry?: boolean;
  /** Gradient to the light. Default true where the scene has one. */
  light?: boolean;
  /** Gradient to texels. Default true. */
  material?: boolean;
  /** Added to the mip level. Default 0. */
  lodBias?: number;
  /**
   * Default `linear`: between two levels of the pyramid. `nearest`: from the nearer one alone, which halves the scatter
   * to texels.
   */
  mips?: 'linear' | 'nearest';
  /**
   * Take the light's gradient from every `lightStride`-th run of 64 pixels only, from run `lightFirst` on, and multiply
   * it up. Default 1: all. A light has few texels and many pixels; with another first run in every iteration the
   * expectation is the gradient.
   */
  lightStride?: number;
  lightFirst?: number;
}

/**
 * What the picture is compared in: `linear` radiance; `srgb` encoded and clamped at 1 (as the image metrics);
 * `log-srgb`: sRGB curve of log(1 + x), which tames highlights (Munkberg et al. 2022). Where a channel of an 8-bit
 * target is at its end, its true value is unknown: in both encoded spaces anything from 1 upwards agrees with it.
 */
export type LossSpace = 'linear' | 'srgb' | 'log-srgb';

export interface LossOptions {
  /** Default `l1`. `mse`: squared error. */
  kind?: 'l1' | 'mse';
  /** Default `log-srgb`. */
  space?: LossSpace;
  /** Factor on the image term, which is summed over r, g, b and pixels. Default 1. */
  image?: number;
  /** Factor on the squared error of coverage, summed over pixels. Default 1. */
  silhouette?: number;
  /** Colour error counts only where the target's alpha is above this (0…1); below 0 everywhere. Default −1. */
  minimumAlpha?: number;
  /** Value, after the curve of `space`, of what lies behind rendering and target: 0 = black, 1 = white. Default 0. */
  background?: number;
}

/** Target pictures: sRGB with straight alpha, 8 bits a channel. */
export interface TargetImages {
  /** u32 [count × W × H]: r | g << 8 | b << 16 | a << 24. Image i belongs to camera i. */
  buffer: GPUBuffer;
  width: number;
  height: number;
  count: number;
}

/** Depth maps. */
export interface DepthTargets {
  /** f32 [count × W × H]: distance along the viewing axis in scene units, 0 = none. Map i belongs to camera i. */
  buffer: GPUBuffer;
  width: number;
  height: number;
}

export interface DepthLossOptions {
  /** Factor. Default 1. */
  weight?: number;
  /** Error that counts as one, in scene units: below it the loss is quadratic, above it linear. */
  unit: number;
  /** Errors beyond this many units belong to another surface and count nothing. Default 10. */
  reach?: number;
}

/** Sums of one view of the last `recordLoss`. */
export interface ViewLoss {
  /** The image term, with its factor. */
  image: number;
  /** The silhouette term, with its factor. */
  silhouette: number;
  /**
   * Mean squared error of the sRGB-encoded picture composited on white, whole frame, values 0…1; PSNR = −10 log10 of
   * it.
   */
  meanSquaredError: number;
  /** The term of `recordDepthLoss`, with its factor; 0 where there was none. */
  depth: number;
}

/** Adam (Kingma & Ba 2015). */
export interface AdamOptions {
  learningRate: number;
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.99, so that (1 − β1)² = 1 − β2 and first steps are as long as later ones without bias correction. */
  beta2?: number;
  /** Default 1e-8, in units of the gradient. */
  epsilon?: number;
  /** Number of this step from 1, for bias correction. Default: no correction. */
  step?: number;
}

/**
 * Step of the material: learning rates by channel. Texels that no view of the batch touched keep their value and
 * moments.
 */
export interface MaterialStepOptions extends Omit<AdamOptions, 'learningRate' | 'step'> {
  /** Rates for base colour, occlusion, roughness, metallic and normal slopes. 0 freezes. */
  baseColor: number;
  occlusion: number;
  roughness: number;
  metallic: number;
  normal: number;
  /** Slopes are kept in −limit…limit. Default 1. */
  normalLimit?: number;
  /** Roughness is kept at or above this. Default 0.08. */
  minimumRoughness?: number;
}
