/**
 * The form of `quality.json`, version 1. Programs may rely on it: fields are only added within a version;
 * `schemaVersion` rises when one changes its meaning or goes away. `docs/quality.schema.json` is made from here.
 */
import { z } from 'zod';

export const QUALITY_SCHEMA_VERSION = 1;

const share = z.number().min(0).max(1);
const numbers = (n: number) => z.array(z.number()).length(n);

export const statusSchema = z
  .enum(['normal', 'warning', 'failure'])
  .describe('`normal`, `warning` or `failure`, by the thresholds.');
export type QualityStatus = z.infer<typeof statusSchema>;

const floorSchema = z.object({
  psnr: z.number().min(0).max(100).describe('PSNR in dB, at least.'),
  ssim: z.number().min(-1).max(1).describe('SSIM, at least.'),
});
export const thresholdsSchema = z
  .object({ normal: floorSchema, warning: floorSchema })
  .describe('A status holds where PSNR and SSIM both reach its floor.');
export type Thresholds = z.infer<typeof thresholdsSchema>;

export const groupSchema = z
  .enum(['input', 'heldOut', 'test'])
  .describe(
    '`input`: used for geometry and texture; `heldOut`: kept out by Plinth; `test`: marked as test by the ' +
      'capture. Only `input` views were seen by the method.',
  );
export type ViewGroup = z.infer<typeof groupSchema>;

const cameraSchema = z
  .object({
    cameraToWorld: numbers(16).describe('Column-major, OpenGL axes, in the frame of the asset.'),
    width: z.int().positive(),
    height: z.int().positive(),
    fx: z.number(),
    fy: z.number(),
    cx: z.number(),
    cy: z.number(),
  })
  .describe('Pinhole camera of the full-size picture; pixels, centre of the first pixel at 0.5.');

const maskSchema = z.object({
  iou: share.describe('Intersection over union of the silhouettes (alpha > 0.5).'),
  missing: share.describe('Share of the picture’s object that the render lacks.'),
  extra: z.number().min(0).describe('Area of the render outside the object, as a share of the object’s area.'),
  shift: numbers(2).nullable().describe('Centroid of the render minus centroid of the picture, in compared pixels.'),
  border: share
    .nullable()
    .default(null)
    .describe('Share of the border of the picture’s frame that its mask covers; `null` in older files.'),
});

const depthSchema = z.object({
  mae: z.number().min(0).describe('Mean absolute error where both have depth, in scene units.'),
  rmse: z.number().min(0).describe('Root mean squared error over the same pixels, in scene units.'),
  pixels: z.int().min(0).describe('Pixels where both have depth.'),
  missing: share.describe('Share of the capture’s depth pixels where the render has none.'),
  extra: z.number().min(0).describe('Pixels with depth in the render only, as a share of the capture’s.'),
});
export type DepthMeasures = z.infer<typeof depthSchema>;

const colourSchema = z.object({
  gain: z
    .number()
    .positive()
    .describe('Median ratio of linear luminance, picture over render, where both are opaque; 1 = equally bright.'),
  sharpness: z
    .number()
    .min(0)
    .describe(
      'Root mean square of brightness steps over two pixels in the render over that in the picture; below 1 = blurred.',
    ),
  lostHighlights: share.describe(
    'Share of pixels that are bright (over 0.8) in the picture and darker by 0.15 in the render.',
  ),
  bakedHighlights: share.describe(
    'Share of pixels that are bright (over 0.8) in the render and darker by 0.15 in the picture.',
  ),
  explained: z
    .number()
    .min(-1)
    .max(1)
    .nullable()
    .default(null)
    .describe(
      'Share of the picture’s own variation within the object that the render explains (coefficient of ' +
        'determination, noise left out); 1 = all, 0 = no better than its mean colour; `null` where the picture ' +
        'is plain, and in older files.',
    ),
  stray: share
    .nullable()
    .default(null)
    .describe(
      'Share of the render’s pixels whose colour the picture shows nowhere within 0.6 % of its width: one material ' +
        'smeared over another, or highlights of other views; `null` in older files.',
    ),
});

export const viewSchema = z.object({
  name: z.string(),
  group: groupSchema,
  width: z.int().positive().describe('Size at which picture and render were compared.'),
  height: z.int().positive(),
  status: statusSchema,
  psnr: z.number().describe('dB, whole frame on white; 100 = identical.'),
  ssim: z.number().describe('Whole frame on white.'),
  inMask: z
    .object({ psnr: z.number(), ssim: z.number().nullable(), pixels: z.int().positive() })
    .nullable()
    .describe('The same over pixels of the mask only.'),
  mask: maskSchema.nullable().describe('`null` where the capture has no masks.'),
  depth: depthSchema.nullable().describe('`null` where the capture has no depth.'),
  colour: colourSchema.nullable().describe('`null` where the silhouettes do not overlap.'),
  texelsPerPixel: z
    .number()
    .positive()
    .nullable()
    .describe(
      'Texels of the base colour along the edge of one pixel of the full-size picture; below 1 the texture ' +
        'is the coarser one.',
    ),
  camera: cameraSchema,
  images: z
    .object({ input: z.string(), render: z.string(), error: z.string() })
    .nullable()
    .describe('Files relative to the result folder.'),
});
export type ViewQuality = z.infer<typeof viewSchema>;

const statisticSchema = z
  .object({ mean: z.number(), worst: z.number(), worstView: z.string() })
  .describe('Mean of the views’ values, the worst value and the view it belongs to.');
export type Statistic = z.infer<typeof statisticSchema>;

export const totalsSchema = z.object({
  views: z.int().positive(),
  status: statusSchema,
  psnr: statisticSchema,
  ssim: statisticSchema,
  psnrInMask: statisticSchema.nullable(),
  ssimInMask: statisticSchema.nullable(),
  maskIou: statisticSchema.nullable(),
  depthMae: statisticSchema.nullable(),
  depthRmse: statisticSchema.nullable(),
  depthMissing: statisticSchema.nullable(),
});
export type GroupTotals = z.infer<typeof totalsSchema>;

export const protocolSchema = z.object({
  renders: z.string(),
  whole: z.string(),
  inMask: z.string(),
  ssim: z.string(),
  depth: z.string(),
  status: z.string(),
  statusRegion: z
    .enum(['whole', 'inMask'])
    .describe('Which PSNR and SSIM decide: the whole frame, or, for captures without masks, where the render is.'),
  maxSize: z.int().positive().describe('Pictures are compared at this many pixels along the longer side, at most.'),
});
export type Protocol = z.infer<typeof protocolSchema>;

export const meshSchema = z
  .object({
    triangles: z.int().min(0),
    vertices: z.int().min(0).describe('Distinct positions in use.'),
    components: z.int().min(0).describe('Parts connected through edges.'),
    boundaryEdges: z.int().min(0).describe('Edges of one triangle only: rims of holes.'),
    nonManifoldEdges: z.int().min(0).describe('Edges of more than two triangles.'),
    nonManifoldVertices: z.int().min(0).describe('Vertices whose triangles form more than one fan.'),
    watertight: z.boolean().describe('Every edge has exactly two triangles, of opposite direction.'),
    eulerCharacteristic: z.int(),
    genus: z.number().nullable().describe('Handles; `null` where the mesh is not a closed manifold.'),
    inwardTriangles: z.int().min(0).describe('Triangles whose front faces the inside of their part.'),
    degenerateTriangles: z.int().min(0).describe('Triangles without area.'),
    innerShells: z.int().min(0).describe('Closed parts that lie inside another and cannot be seen.'),
    area: z.number().min(0).describe('Square scene units.'),
    volume: z.number().describe('Cubic scene units; meaningful where watertight.'),
    bounds: z.object({ min: numbers(3), max: numbers(3) }).describe('Scene units.'),
  })
  .describe('Vertices at equal positions count as one, so that seams of the texture are no holes.');
export type MeshQuality = z.infer<typeof meshSchema>;

export const textureSchema = z.object({
  kind: z
    .enum(['baked', 'pbr'])
    .describe('`baked`: the light of the capture is in the base colour; `pbr`: can be lit anew.'),
  width: z.int().positive(),
  height: z.int().positive(),
  coverage: share.describe('Share of the texture’s area that triangles use.'),
  unseenShare: share
    .nullable()
    .describe('Share of used texels that no picture shows (in-painted), where the method tells.'),
});
export type TextureQuality = z.infer<typeof textureSchema>;

/** What `assess` finds out, and what `plinth assess` prints. */
export const assessmentSchema = z.object({
  status: statusSchema.describe('Of the input views by PSNR and SSIM; in `quality.json` bounded by `limits`.'),
  statusOfUnseen: statusSchema
    .nullable()
    .describe('Of held-out views, else of test views; `null` where there are none.'),
  psnr: z.number().describe('Mean over the input views by `protocol.statusRegion`.'),
  ssim: z.number(),
  heldOutGap: z
    .number()
    .nullable()
    .describe('PSNR of input views minus PSNR of views that the method did not see, dB, by `protocol.statusRegion`.'),
  protocol: protocolSchema,
  thresholds: thresholdsSchema,
  totals: z.object({
    input: totalsSchema.nullable(),
    heldOut: totalsSchema.nullable(),
    test: totalsSchema.nullable(),
  }),
  views: z.array(viewSchema).min(1),
  mesh: meshSchema,
  texture: textureSchema,
});
/** Measures of an asset against a capture's views. */
export type Assessment = z.infer<typeof assessmentSchema>;

const jsonObject = z.record(z.string(), z.unknown());

export const warningSchema = z.object({
  code: z.string(),
  message: z.string(),
  subject: z.string().optional(),
  remedy: z.string().optional(),
});

export const adviceSchema = z.object({
  code: z.string().describe('Stable, such as `holes`.'),
  severity: z
    .enum(['problem', 'hint'])
    .describe('`problem`: the result is worse than it could be; `hint`: worth knowing.'),
  message: z.string().describe('One sentence that names the evidence and what to do.'),
  views: z.array(z.string()).describe('Views that it is about; empty = all.'),
});
export type Advice = z.infer<typeof adviceSchema>;

export const limitSchema = z.object({
  code: z.string().describe('Stable, such as `silhouettes`.'),
  status: statusSchema.describe('The best status that a result with this evidence can have.'),
  message: z.string().describe('A clause that names the evidence.'),
});
export type Limit = z.infer<typeof limitSchema>;

export const seriesSchema = z.object({
  name: z.string(),
  unit: z.string().optional(),
  points: z.array(numbers(2)).describe('[step, value].'),
});
export type Series = z.infer<typeof seriesSchema>;

export const qualitySchema = assessmentSchema
  .extend({
    schemaVersion: z.literal(QUALITY_SCHEMA_VERSION),
    plinth: z.string().describe('Version of Plinth.'),
    capture: z.object({
      name: z.string(),
      format: z.string(),
      views: z.object({ input: z.int(), heldOut: z.int(), test: z.int(), withDepth: z.int() }),
      masks: z.enum(['alpha', 'files', 'depth', 'background', 'object', 'none']),
      inputToWorld: numbers(16).describe('Column-major: asset frame = inputToWorld · frame of the input.'),
      scaleKnown: z.boolean().describe('True where the scene unit is the input’s own.'),
      bounds: z.object({ min: numbers(3), max: numbers(3) }),
      estimated: jsonObject
        .nullable()
        .describe('What had to be estimated (cameras, depth scales) and how well the views agree.'),
    }),
    frame: z.string().describe('In what frame and unit the asset is.'),
    method: z.object({
      name: z.string(),
      preset: z.string(),
      options: jsonObject,
      facts: jsonObject.nullable().describe('What the method tells about its own work.'),
    }),
    seed: z.int(),
    verdict: z
      .string()
      .describe('One sentence for people, and a second that names the likeliest cause where something is wrong.'),
    limits: z
      .array(limitSchema)
      .default([])
      .describe('Evidence besides PSNR and SSIM that bounds the status from above, the gravest first.'),
    likelyCause: z
      .string()
      .nullable()
      .default(null)
      .describe('The likeliest single cause of a status below `normal`, with its remedy.'),
    advice: z.array(adviceSchema),
    warnings: z.array(warningSchema),
    series: z.array(seriesSchema).describe('Curves such as loss over steps.'),
    files: z.array(z.object({ path: z.string(), bytes: z.int().min(0), sha256: z.string().length(64) })),
    run: z
      .object({
        adapter: z.object({
          device: z.string(),
          vendor: z.string(),
          kind: z.string(),
          backend: z.string(),
          description: z.string(),
        }),
        timings: z.array(z.object({ stage: z.string(), title: z.string().optional(), seconds: z.number().min(0) })),
        seconds: z.number().min(0),
        peakMemoryBytes: z.int().min(0).nullable(),
        peakGpuBytes: z.int().min(0).nullable(),
      })
      .describe('About the machine and the moment: the only part that differs between two runs of the same job.'),
  })
  .meta({ title: 'Plinth quality.json', description: 'What a result is worth and how that was measured.' });
/** The content of `quality.json`. */
export type QualityData = z.infer<typeof qualitySchema>;

/** The JSON schema that is published as `docs/quality.schema.json`. */
export const qualityJsonSchema = (): object => z.toJSONSchema(qualitySchema);
