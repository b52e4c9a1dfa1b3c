import { z } from 'zod';
import { stereoOptions } from '../shared/stereoOptions.js';

/** Options of method `nvdiffrec`. */
export const nvdiffrecOptions = z.object({
  iterations: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe(
      'Steps of the optimisation. Each step compares `batch` pictures. Captures of fewer than 24 views take ' +
        'a share of them, but not fewer than 300.',
    ),
  batch: z.int().min(1).max(8).default(4).describe('Pictures per step.'),
  imageSize: z
    .int()
    .min(64)
    .max(4096)
    .default(512)
    .describe(
      'Longer side of the pictures that are compared, in pixels, at the end; the run begins at a quarter of ' +
        'it. Larger pictures are scaled down.',
    ),
  triangles: z.int().min(100).max(500_000).default(30_000).describe('Triangle budget of the mesh.'),
  textureSize: z
    .literal([128, 256, 512, 1024])
    .default(1024)
    .describe('Width and height of the textures, in texels; a power of two.'),
  resolution: z
    .int()
    .min(32)
    .max(1024)
    .default(320)
    .describe('Upper bound of the resolution that the first surface is fused at, in voxels along the longest side.'),
  ...stereoOptions,
  concavities: z
    .boolean()
    .default(true)
    .describe(
      'Open concavities that no outline shows, such as the inside of a cup, where many views see different ' +
        'colours at one place of the first surface.',
    ),
  topology: z
    .boolean()
    .default(false)
    .describe('Seek holes, handles and hollows that the first surface lacks, before it is unwrapped.'),
  topologyIterations: z.int().min(25).max(10_000).default(300).describe('Steps of that search.'),
  topologyResolution: z
    .int()
    .min(16)
    .max(128)
    .default(96)
    .describe('Cells along the longest side of the object that the search ends with; it begins with half of them.'),
  lightSize: z
    .literal([16, 32, 64])
    .default(32)
    .describe('Face size of the cube map that the light is sought on, in texels.'),
  geometry: z.boolean().default(true).describe('Move vertices. Without it, only materials and light are sought.'),
  positionRate: z
    .number()
    .min(0)
    .max(0.1)
    .default(0.001)
    .describe("First step of vertices, as a share of the object's diagonal; steps shrink to a tenth."),
  smoothness: z
    .number()
    .min(0)
    .max(1000)
    .default(2)
    .describe(
      'Weight of the uniform Laplacian of the displacement of vertices, in pixels squared; 0 lets vertices ' +
        'move freely.',
    ),
  baseColorRate: z.number().min(0).max(1).default(0.02).describe('First step of base colour, linear 0…1.'),
  materialRate: z.number().min(0).max(1).default(0.012).describe('First step of roughness and metallic.'),
  occlusionRate: z.number().min(0).max(1).default(0.01).describe('First step of occlusion.'),
  normalRate: z.number().min(0).max(1).default(0.01).describe('First step of the normal map’s slopes.'),
  lightRate: z.number().min(0).max(1).default(0.04).describe("First step of the light's logarithm."),
  balanceRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(
      'First step of the logarithm of the factor, one per channel, that moves brightness and tint between ' +
        'light and base colour.',
    ),
  lightNeutrality: z
    .number()
    .min(0)
    .max(0.99)
    .default(0.02)
    .describe(
      'Pull of the light towards grey: share of its colour that is lost in a hundred steps where the ' +
        'pictures say nothing; 0 = none.',
    ),
  materialSmoothness: z
    .number()
    .min(0)
    .max(0.99)
    .default(0.9)
    .describe(
      'Pull of roughness and metallic towards their mean around: share of a difference that is lost in a ' +
        'hundred steps where the pictures say nothing; 0 = none.',
    ),
  metals: z
    .boolean()
    .default(true)
    .describe('Try whether parts of one tint that shine unevenly are metal, before the run.'),
  lightSmoothness: z
    .number()
    .min(0)
    .max(0.99)
    .default(0)
    .describe(
      'Pull of the light towards what lies around: share of the difference between a texel and its ' +
        'neighbours that is lost in a hundred steps where the pictures say nothing; 0 = none.',
    ),
  glossRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('First step of roughness and metallic that all places of like colour share; 0 = each place by itself.'),
  glossByColor: z
    .number()
    .min(0)
    .max(0.99)
    .default(0.2)
    .describe(
      'Pull of roughness and metallic towards their mean over all places of like colour: share of a ' +
        'difference that is lost in a hundred steps where the pictures say nothing; 0 = none.',
    ),
  doubt: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Gradient of the material, as a share of a strong one, below which its steps get shorter; 0 = what ' +
        'pictures say faintly counts like all else.',
    ),
  palette: z
    .number()
    .min(0)
    .max(0.99)
    .default(0.3)
    .describe(
      'Pull of base colour towards the nearest of the few colours that the surface is mostly made of, so ' +
        'that shading is left to the light: share in a hundred steps; 0 = none.',
    ),
  silhouette: z
    .number()
    .min(0)
    .max(100)
    .default(2)
    .describe('Weight of the squared error of coverage against that of colour.'),
  depth: z
    .number()
    .min(0)
    .max(100)
    .default(0.2)
    .describe('Weight of depth maps, where the capture has them, against that of colour; 0 = not used.'),
  refineCameras: z
    .boolean()
    .default(false)
    .describe(
      'Correct pose and focal length of every camera together with the object. For cameras that were ' +
        'estimated; what was changed is reported per view.',
    ),
  cameraRate: z
    .number()
    .min(0)
    .max(0.1)
    .default(0.002)
    .describe(
      "First step of cameras: turn in radians, shift as a share of the object's diagonal, focal length as a share.",
    ),
});

export type NvdiffrecOptions = z.infer<typeof nvdiffrecOptions>;
