// Texels to sRGB bytes; alpha carries the state (0 none, 1 ring, 2 in-painted, 3 seen).

struct Params {
  count : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> texels : array<vec2u>;
@group(0) @binding(2) var<storage, read> states : array<u32>;
@group(0) @binding(3) var<storage, read_write> pixels : array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  let c = clamp(vec3f(unpack2x16float(texels[i].x), unpack2x16float(texels[i].y).x), vec3f(0.0), vec3f(1.0));
  let encoded = select(1.055 * pow(c, vec3f(1.0 / 2.4)) - 0.055, c * 12.92, c <= vec3f(0.0031308));
  let b = vec3u(round(encoded * 255.0));
  pixels[i] = b.x | (b.y << 8u) | (b.z << 16u) | (states[i] << 24u);
}
