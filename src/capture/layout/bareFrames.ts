/**
 * The object that a transforms file holds. Where it is a bare list of frames, as nerfstudio's `ns-export cameras` writes
 * it with matrices called `transform`, the object that others write of these frames; anything else as it is.
 */
export function withFrames(json: unknown): unknown {
  if (!Array.isArray(json)) return json;
  return {
    frames: json.map((frame: unknown) => {
      if (typeof frame !== 'object' || frame === null || !('transform' in frame)) return frame;
      // Where both are given, the other is told of as a field that is not read.
      if ('transform_matrix' in frame) return frame;
      const { transform, ...rest } = frame;
      return { transform_matrix: transform, ...rest };
    }),
  };
}
