// Adds one direction of light to each vertex's openness: cosine-weighted share of the hemisphere that is not hidden.

struct Params {
  worldToClip : mat4x4f,
  direction : vec3f,
  vertices : u32,
  offset : f32,
  bias : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var shadow : texture_2d<f32>;
@group(0) @binding(2) var<storage, read> vertices : array<f32>;
@group(0) @binding(3) var<storage, read_write> sums : array<vec2f>;

const STRIDE : u32 = 12u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.vertices) {
    return;
  }
  let at = i * STRIDE;
  let normal = vec3f(vertices[at + 3u], vertices[at + 4u], vertices[at + 5u]);
  let c = dot(normal, params.direction);
  if (c <= 0.0) {
    return;
  }
  let position = vec3f(vertices[at], vertices[at + 1u], vertices[at + 2u]) + normal * params.offset;
  let clip = params.worldToClip * vec4f(position, 1.0);
  let size = vec2f(textureDimensions(shadow, 0));
  let pixel = (clip.xy * vec2f(0.5, -0.5) + 0.5) * size - 0.5;
  let corner = floor(pixel);
  let f = pixel - corner;
  var lit = 0.0;
  for (var y = 0; y < 2; y++) {
    for (var x = 0; x < 2; x++) {
      let p = clamp(vec2i(corner) + vec2i(x, y), vec2i(0), vec2i(size) - 1);
      let w = select(1.0 - f.x, f.x, x == 1) * select(1.0 - f.y, f.y, y == 1);
      lit += select(0.0, w, clip.z <= textureLoad(shadow, p, 0).r + params.bias);
    }
  }
  sums[i] += vec2f(lit, 1.0) * c;
}
