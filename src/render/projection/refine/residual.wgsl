// Difference between a view and the render of the present texels, per pixel: square roots of linear light, ten bits a
// channel, and in the upper two bits whether the pixel counts.

struct Params {
  width : u32,
  height : u32,
  supersample : u32,
  // Place of the view in its set, and of its first pixel in `residuals`.
  index : u32,
  offset : u32,
  pitch : u32,
  gain : vec3f,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var colors : texture_2d_array<f32>;
@group(0) @binding(2) var rendered : texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> residuals : array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.width * params.height) {
    return;
  }
  let p = vec2u(i % params.width, i / params.width);
  let at = params.offset + p.y * params.pitch + p.x;
  let seen = textureLoad(colors, p, params.index, 0);
  if (seen.a == 0.0) {
    residuals[at] = 0u;
    return;
  }
  let s = params.supersample;
  var sum = vec4f(0.0);
  for (var y = 0u; y < s; y++) {
    for (var x = 0u; x < s; x++) {
      sum += textureLoad(rendered, p * s + vec2u(x, y), 0);
    }
  }
  if (sum.a < f32(s * s) - 0.5) {
    residuals[at] = 0u;
    return;
  }
  let difference = sqrt(seen.rgb) * params.gain - sqrt(max(sum.rgb / sum.a, vec3f(0.0)));
  let q = vec3u(vec3i(round(clamp(difference, vec3f(-0.5), vec3f(0.5)) * 1022.0)) + 512);
  residuals[at] = q.x | (q.y << 10u) | (q.z << 20u) | (1u << 30u);
}
