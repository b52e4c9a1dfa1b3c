import { z } from 'zod';

/**
 * Any number, not finite ones too: the camera checks name the view. Null, as Python writes None, is as if the field
 * were not there.
 */
const number = z
  .custom<number | null>((value) => value === null || typeof value === 'number', 'expected a number')
  .transform((value) => value ?? undefined)
  .optional();

const required = z.custom<number>((value) => typeof value === 'number', 'expected a number');
const text = z
  .string()
  .min(1)
  .nullish()
  .transform((value) => value ?? undefined);

/** A 3×3 or 4×4 matrix of intrinsics, in rows. */
const matrix = z
  .array(z.array(required).min(3).max(4))
  .min(3)
  .max(4)
  .nullish()
  .transform((value) => value ?? undefined);

/** Intrinsics, for the whole file or one frame. Pixels; angles in radians, `x_fov` and `y_fov` in degrees. */
const intrinsics = {
  camera_angle_x: number,
  camera_angle_y: number,
  x_fov: number,
  y_fov: number,
  fl_x: number,
  fl_y: number,
  // The same by the names of others.
  fx: number,
  fy: number,
  cx: number,
  cy: number,
  w: number,
  h: number,
  k1: number,
  k2: number,
  k3: number,
  k4: number,
  p1: number,
  p2: number,
  camera_model: text,
  is_fisheye: z
    .boolean()
    .nullish()
    .transform((value) => value ?? undefined),
  intrinsic_matrix: matrix,
};

const rows = z.array(z.array(required).length(4)).min(3).max(4);
const names = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? undefined);

/** What a frame's depth map is called: by nerfstudio, instant-ngp, and others. The first that is there counts. */
export const DEPTH_KEYS = ['depth_file_path', 'depth_path', 'depth_image_path', 'depth_file', 'depth_image'] as const;
/** What a frame's mask is called. */
export const MASK_KEYS = ['mask_path', 'mask_file_path', 'mask_file'] as const;

export const frameSchema = z.object({
  ...intrinsics,
  file_path: z.string().min(1),
  transform_matrix: rows,
  ...(Object.fromEntries([...DEPTH_KEYS, ...MASK_KEYS].map((key) => [key, text])) as Record<
    (typeof DEPTH_KEYS)[number] | (typeof MASK_KEYS)[number],
    typeof text
  >),
});

/** The union of the NeRF-synthetic, instant-ngp and nerfstudio dialects, with what NeuS2 adds. */
export const transformsSchema = z.object({
  ...intrinsics,
  frames: z.array(frameSchema).min(1, 'it has no frames'),
  depth_unit_scale_factor: number,
  integer_depth_scale: number,
  depth_scale: number,
  aabb_scale: number,
  from_na: z
    .boolean()
    .nullish()
    .transform((value) => value ?? undefined),
  camera_convention: text,
  applied_transform: rows.nullish().transform((value) => value ?? undefined),
  applied_scale: number,
  train_filenames: names,
  val_filenames: names,
  test_filenames: names,
});

export type Transforms = z.infer<typeof transformsSchema>;
export type Frame = z.infer<typeof frameSchema>;

/** Fields that say nothing of cameras, pictures, masks or depth: how other programs place, train and show. */
const OF_OTHERS = new Set([
  'aabb',
  'render_aabb',
  'scale',
  'offset',
  'up',
  'n_extra_learnable_dims',
  'ply_file_path',
  'orientation_override',
  'auto_scale_poses_override',
  'enable_depth_loading',
  'enable_ray_loading',
  'white_transparent',
  'black_transparent',
  'n_frames',
  'version',
  'sharpness',
  'blur_score',
  'rotation',
  'time',
  'timestamp',
  'colmap_im_id',
  'image_id',
  'camera_id',
  'id',
  'name',
]);

/** Names of the fields of a transforms file that are not read although they may mean something. */
export function unreadKeys(json: unknown): string[] {
  const { frames, ...whole } = json as Record<string, unknown>;
  const unread = (value: object, known: object): string[] =>
    Object.entries(value)
      .filter(([key, content]) => content !== null && !(key in known) && !OF_OTHERS.has(key) && !key.startsWith('_'))
      .map(([key]) => key);
  const inFrames = (Array.isArray(frames) ? frames : []).flatMap((frame) =>
    frame && typeof frame === 'object' ? unread(frame, frameSchema.shape) : [],
  );
  return [...new Set([...unread(whole, transformsSchema.shape), ...inFrames])].sort();
}
