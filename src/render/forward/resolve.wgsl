// Box-filters a supersampled, premultiplied linear target and writes sRGB with straight alpha, 8 bits a channel.

struct Params {
  width : u32,
  height : u32,
  supersample : u32,
  // 1: composite on `background`, encoded values, the way viewers and the image metrics do it.
  opaque_ : u32,
  background : vec4f,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var target_ : texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> pixels : array<u32>;

fn encode(c : vec3f) -> vec3f {
  let v = clamp(c, vec3f(0.0), vec3f(1.0));
  return select(1.055 * pow(v, vec3f(1.0 / 2.4)) - 0.055, v * 12.92, v <= vec3f(0.0031308));
}

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
  let s = params.supersample;
  let corner = vec2u(i % params.width, i / params.width) * s;
  var sum = vec4f(0.0);
  for (var y = 0u; y < s; y++) {
    for (var x = 0u; x < s; x++) {
      sum += textureLoad(target_, corner + vec2u(x, y), 0);
    }
  }
  sum /= f32(s * s);
  var color = vec3f(0.0);
  var alpha = clamp(sum.a, 0.0, 1.0);
  if (alpha > 0.0) {
    color = encode(sum.rgb / sum.a);
  }
  if (params.opaque_ == 1u) {
    color = mix(params.background.rgb, color, alpha);
    alpha = 1.0;
  }
  let bytes = vec4u(round(vec4f(color, alpha) * 255.0));
  pixels[i] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
