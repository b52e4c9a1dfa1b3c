import { z } from 'zod';

/** Options of methods whose mesh and texture may be of any size. */
export const surfaceOptions = {
  triangles: z.int().min(100).max(2_000_000).default(30_000).describe('Triangle budget of the final mesh.'),
  textureSize: z
    .int()
    .min(256)
    .max(8192)
    .multipleOf(4)
    .default(2048)
    .describe('Width and height of the texture, in pixels.'),
};
