// Premultiplies a picture by its validity: 1 where the mask is full and the mesh has no depth edge nearby, else 0.
// Sums over pixels can then be divided by the sum of validity, and background never mixes in.

struct Params {
  focal : f32,
  // Depth steps between neighbours above this many pixel footprints are edges.
  steepest : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var picture : texture_2d<f32>;
@group(0) @binding(2) var depths : texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) i : u32) -> @builtin(position) vec4f {
  return vec4f(vec2f(f32((i << 1u) & 2u), f32(i & 2u)) * 2.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position : vec4f) -> @location(0) vec4f {
  let p = vec2i(position.xy);
  let color = textureLoad(picture, p, 0);
  let depth = textureLoad(depths, p, 0).r;
  if (color.a < 0.9 || depth == 0.0) {
    return vec4f(0.0);
  }
  let last = vec2i(textureDimensions(depths)) - 1;
  let limit = params.steepest * depth / params.focal;
  for (var y = -1; y <= 1; y++) {
    for (var x = -1; x <= 1; x++) {
      let d = textureLoad(depths, clamp(p + vec2i(x, y), vec2i(0), last), 0).r;
      if (d == 0.0 || abs(d - depth) > limit * length(vec2f(f32(x), f32(y)))) {
        return vec4f(0.0);
      }
    }
  }
  return vec4f(color.rgb, 1.0);
}

// Second step, from the premultiplied picture and its pyramid: colours continued a little beyond their borders, so that
// bilinear and mip fetches stay clean, and in alpha the view's trust: 0 where invalid, rising from 1/128 at a border to
// 1 inside.
struct FadeParams {
  // Pyramid level whose texels are about as large as the width of the fade.
  level : f32,
};

@group(0) @binding(0) var<uniform> fade : FadeParams;
@group(0) @binding(1) var pyramid : texture_2d<f32>;
@group(0) @binding(2) var trilinear : sampler;

@fragment
fn fill(@builtin(position) position : vec4f) -> @location(0) vec4f {
  let uv = position.xy / vec2f(textureDimensions(pyramid, 0));
  var c = textureLoad(pyramid, vec2i(position.xy), 0);
  let valid = c.a > 0.5;
  for (var level = 1.0; c.a < 0.02 && level < 5.0; level += 1.0) {
    c = textureSampleLevel(pyramid, trilinear, uv, level);
  }
  let inside = textureSampleLevel(pyramid, trilinear, uv, fade.level).a;
  let trust = select(0.0, max(smoothstep(0.45, 1.0, inside), 1.0 / 128.0), valid);
  return vec4f(select(vec3f(0.0), c.rgb / max(c.a, 1e-3), c.a >= 0.02), trust);
}
