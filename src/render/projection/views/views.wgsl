// How a surface point appears in a view. Shared by the kernels that gather from views.

// #include "../texels/points.wgsl"

struct ViewData {
  // Rows of world-to-camera (OpenGL axes).
  x : vec4f,
  y : vec4f,
  z : vec4f,
  // fx, fy, cx, cy in pixels of this view's layer.
  intrinsics : vec4f,
  // Width and height of the view, and its share of the layer.
  size : vec4f,
  eye : vec4f,
  // Factors on the square root of linear colour that even out exposure.
  gain : vec4f,
};

struct Gather {
  count : u32,
  views : u32,
  // Pixels per row and per layer of the depth buffer.
  pitch : u32,
  layer : u32,
  // Distance that depth may differ by, beyond what pixel size and slope explain, in scene units.
  slack : f32,
  // Least cosine between normal and viewing direction.
  minimumCosine : f32,
  // Size of a texel on the surface, and smallest pixel footprint of all views, in scene units.
  texel : f32,
  footprint : f32,
  // Exponents of the weight.
  anglePower : f32,
  resolutionPower : f32,
  // How strongly darker colours are preferred, against highlights.
  highlights : f32,
  // How strongly the view that faces a place best is preferred.
  facing : f32,
  // Share of a correction that is applied.
  strength : f32,
};

struct Observation {
  // Cosine; 0 where the point is not seen.
  cosine : f32,
  // Pixel coordinates in the layer.
  pixel : vec2f,
  // Size of a pixel on a plane through the point that faces the camera, in scene units.
  footprint : f32,
};

@group(0) @binding(0) var<uniform> gather : Gather;
@group(0) @binding(1) var<storage, read> views : array<ViewData>;
@group(0) @binding(2) var<storage, read> depths : array<f32>;

fn observe(k : u32, p : vec3f, n : vec3f) -> Observation {
  let none = Observation(0.0, vec2f(0.0), 1.0);
  let toEye = views[k].eye.xyz - p;
  let facing = dot(n, toEye);
  if (facing <= 0.0) {
    return none;
  }
  let cosine = facing * inverseSqrt(dot(toEye, toEye));
  if (cosine < gather.minimumCosine) {
    return none;
  }
  let q = vec4f(p, 1.0);
  let depth = -dot(views[k].z, q);
  if (depth <= 1e-9) {
    return none;
  }
  let f = views[k].intrinsics;
  let pixel = f.zw + vec2f(f.x * dot(views[k].x, q), -f.y * dot(views[k].y, q)) / depth;
  let size = views[k].size.xy;
  if (any(pixel < vec2f(0.5)) || any(pixel > size - 0.5)) {
    return none;
  }
  let at = vec2u(pixel);
  let seen = depths[k * gather.layer + at.y * gather.pitch + at.x];
  let footprint = depth / max(f.x, f.y);
  let slope = min(sqrt(max(1.0 - cosine * cosine, 0.0)) / cosine, 10.0);
  if (seen == 0.0 || depth > seen + footprint * (0.75 + 1.25 * slope) + gather.slack) {
    return none;
  }
  return Observation(cosine, pixel, footprint);
}
