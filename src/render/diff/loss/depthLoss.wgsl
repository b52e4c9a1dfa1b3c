// #include "../geometry/barycentric.wgsl"
// Depth along the viewing axis against depth maps, and the gradient to clip positions.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  offset : u32,
  weight : f32,
  // Depth error that counts as one.
  unit : f32,
  // In units: what is farther off shows another surface and counts nothing.
  reach : f32,
  clipScale : f32,
  sumScale : f32,
  unused0 : u32,
  unused1 : u32,
  indices : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> ids : array<u32>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(4) var<storage, read> depths : array<f32>;
@group(0) @binding(5) var<storage, read_write> scatter : array<atomic<i32>>;
@group(0) @binding(6) var<storage, read_write> sums : array<atomic<i32>>;

const LIMIT : f32 = 134217728.0;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  let pixels = params.width * params.height;
  if (i >= pixels * params.views) {
    return;
  }
  let id = ids[i];
  let n = i / pixels;
  let wanted = depths[params.indices[n / 4u][n % 4u] * pixels + i % pixels];
  if (id == 0u || wanted <= 0.0) {
    return;
  }
  let base = params.offset + n * params.positions * 2u;
  let corner = triangles[(id - 1u) * 6u].xyz;
  let c0 = vertices[base + corner.x * 2u];
  let c1 = vertices[base + corner.y * 2u];
  let c2 = vertices[base + corner.z * 2u];
  let p = pixelCenter(i % params.width, i / params.width % params.height, params.width, params.height);
  let bary = barycentric(p, c0, c1, c2);
  let w = vec3f(c0.w, c1.w, c2.w);
  let x = (dot(bary.b, w) - wanted) / params.unit;
  if (abs(x) > params.reach) {
    return;
  }
  let root = sqrt(1.0 + x * x);
  atomicAdd(&sums[n * 4u + 3u], i32(round(params.weight * (root - 1.0) * params.sumScale)));
  let g = params.weight * x / (root * params.unit);
  let gc = barycentricGradient(bary, p, w * g);
  for (var k = 0u; k < 3u; k++) {
    var gk = gc.g0;
    if (k == 1u) { gk = gc.g1; }
    if (k == 2u) { gk = gc.g2; }
    gk.z += g * bary.b[k];
    let q = vec3i(round(clamp(gk * params.clipScale, vec3f(-LIMIT), vec3f(LIMIT))));
    let at = (n * params.positions + corner[k]) * 8u;
    for (var c = 0u; c < 3u; c++) {
      if (q[c] != 0) {
        atomicAdd(&scatter[at + c], q[c]);
      }
    }
  }
}
