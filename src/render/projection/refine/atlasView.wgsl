// Draws the mesh with an unfinished atlas: texels without colour have alpha 0 and are left out of filtering by
// division.

struct View {
  worldToClip : mat4x4f,
};

@group(0) @binding(0) var<uniform> view : View;
@group(0) @binding(1) var<storage, read> positions : array<f32>;
@group(0) @binding(2) var<storage, read> uvs : array<f32>;
@group(0) @binding(3) var<storage, read> indices : array<u32>;
@group(0) @binding(4) var atlas : texture_2d<f32>;
@group(0) @binding(5) var trilinear : sampler;

struct Fragment {
  @builtin(position) clip : vec4f,
  @location(0) uv : vec2f,
};

@vertex
fn vertex(@builtin(vertex_index) corner : u32) -> Fragment {
  let v = indices[corner];
  var out : Fragment;
  out.clip = view.worldToClip * vec4f(positions[v * 3u], positions[v * 3u + 1u], positions[v * 3u + 2u], 1.0);
  out.uv = vec2f(uvs[v * 2u], uvs[v * 2u + 1u]);
  return out;
}

@fragment
fn fragment(f : Fragment) -> @location(0) vec4f {
  let c = textureSample(atlas, trilinear, f.uv);
  return vec4f(c.rgb / max(c.a, 1e-3), 1.0);
}
