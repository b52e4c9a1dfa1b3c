// One level of a mip chain from the level above: a bilinear fetch in the middle of 2×2 texels.

@group(0) @binding(0) var above : texture_2d<f32>;
@group(0) @binding(1) var bilinear : sampler;

struct Fragment {
  @builtin(position) position : vec4f,
  @location(0) uv : vec2f,
};

@vertex
fn vertex(@builtin(vertex_index) i : u32) -> Fragment {
  let corner = vec2f(f32((i << 1u) & 2u), f32(i & 2u));
  var out : Fragment;
  out.position = vec4f(corner * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0), 0.0, 1.0);
  out.uv = corner;
  return out;
}

@fragment
fn fragment(f : Fragment) -> @location(0) vec4f {
  return textureSampleLevel(above, bilinear, f.uv, 0.0);
}
