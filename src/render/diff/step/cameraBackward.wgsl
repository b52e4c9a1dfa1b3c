// Gradient of each view's world-to-clip matrix: the sum over all positions of clip gradient times position. One
// workgroup per view; sums in a fixed order.

struct Params {
  positions : u32,
  views : u32,
  clipScale : f32,
  normalScale : f32,
  overflowOffset : u32,
  indices : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> positions : array<f32>;
@group(0) @binding(2) var<storage, read> scatter : array<i32>;
@group(0) @binding(3) var<storage, read_write> gradient : array<f32>;

var<workgroup> partial : array<mat4x3f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let n = group.x;
  var sum = mat4x3f();
  for (var p = local; p < params.positions; p += 64u) {
    let at = (n * params.positions + p) * 8u;
    let g = vec3f(f32(scatter[at]), f32(scatter[at + 1u]), f32(scatter[at + 2u]));
    sum += mat4x3f(g * positions[p * 3u], g * positions[p * 3u + 1u], g * positions[p * 3u + 2u], g);
  }
  partial[local] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      partial[local] += partial[local + half];
    }
  }
  if (local == 0u) {
    let start = params.indices[n / 4u][n % 4u] * 16u;
    for (var c = 0u; c < 4u; c++) {
      let g = partial[0][c] / params.clipScale;
      gradient[start + c * 4u] = g.x;
      gradient[start + c * 4u + 1u] = g.y;
      gradient[start + c * 4u + 2u] = 0.0;
      gradient[start + c * 4u + 3u] = g.z;
    }
  }
}
