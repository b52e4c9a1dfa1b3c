import { z } from 'zod';

/** Any number, not finite ones too: the camera checks name the view. */
const number = z.custom<number>((value) => typeof value === 'number', 'expected a number');

/** Intrinsics, for the whole file or one frame. Pixels; angles in radians. */
const intrinsics = {
  camera_angle_x: number.optional(),
  camera_angle_y: number.optional(),
  fl_x: number.optional(),
  fl_y: number.optional(),
  cx: number.optional(),
  cy: number.optional(),
  w: number.optional(),
  h: number.optional(),
  k1: number.optional(),
  k2: number.optional(),
  k3: number.optional(),
  k4: number.optional(),
  p1: number.optional(),
  p2: number.optional(),
  camera_model: z.string().optional(),
  is_fisheye: z.boolean().optional(),
};

const rows = z.array(z.array(number).length(4)).min(3).max(4);

export const frameSchema = z.object({
  ...intrinsics,
  file_path: z.string().min(1),
  transform_matrix: rows,
  depth_file_path: z.string().min(1).nullish(),
  mask_path: z.string().min(1).nullish(),
});

/** The union of the NeRF-synthetic, instant-ngp and nerfstudio dialects. Fields not named here are not used. */
export const transformsSchema = z.object({
  ...intrinsics,
  frames: z.array(frameSchema).min(1, 'it has no frames'),
  depth_unit_scale_factor: number.optional(),
  aabb_scale: number.optional(),
  applied_transform: rows.optional(),
  applied_scale: number.optional(),
  train_filenames: z.array(z.string()).optional(),
  val_filenames: z.array(z.string()).optional(),
  test_filenames: z.array(z.string()).optional(),
});

export type Transforms = z.infer<typeof transformsSchema>;
export type Frame = z.infer<typeof frameSchema>;
