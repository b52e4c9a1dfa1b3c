// #include "barycentric.wgsl"
// #include "outlinePair.wgsl"

@group(0) @binding(5) var<storage, read> gradient : array<vec4f>;
@group(0) @binding(6) var<storage, read_write> colorGradient : array<vec4f>;
@group(0) @binding(7) var<storage, read_write> scatter : array<atomic<i32>>;

const LIMIT : f32 = 134217728.0;

fn addClip(record : u32, g : vec3f, vertical : bool) {
  let at = (record - params.offset) * 4u;
  let v = select(g, g.yxz, vertical) * params.clipScale;
  let q = vec3i(round(clamp(v, vec3f(-LIMIT), vec3f(LIMIT))));
  for (var c = 0u; c < 3u; c++) {
    if (q[c] != 0) {
      atomicAdd(&scatter[at + c], q[c]);
    }
  }
}

// The pair's share in the gradient of the colour of its first or second pixel.
fn share(r : Pair, ofFirst : bool, own : vec4f, neighbour : vec4f) -> vec4f {
  if (!r.found) {
    return vec4f(0.0);
  }
  let receives = (r.d > 0.5) != (r.firstInFront == ofFirst);
  return abs(r.d - 0.5) * select(neighbour, -own, receives);
}

// The gradient of the outline's place to the clip positions of its ends; once per pair.
fn moveOutline(r : Pair, i : u32, j : u32, vertical : bool) {
  if (!r.found) {
    return;
  }
  let front = select(j, i, r.firstInFront);
  let other = select(i, j, r.firstInFront);
  // Both cases come to: more d, more of the front's colour in the pixel that receives.
  let receiver = select(front, other, r.d > 0.5);
  let gd = dot(gradient[receiver], color[front] - color[other]);
  if (gd == 0.0) {
    return;
  }
  let a0 = r.c0.y - r.line * r.c0.z;
  let a1 = r.c1.y - r.line * r.c1.z;
  let m = r.c0.z * a1 - r.c1.z * a0;
  let gx = gd / (r.other - r.front);
  let gn = gx / m;
  let gm = -gx * (r.c0.x * a1 - r.c1.x * a0) / (m * m);
  let ga0 = -r.c1.x * gn - r.c1.z * gm;
  let ga1 = r.c0.x * gn + r.c0.z * gm;
  addClip(r.v0, vec3f(a1 * gn, ga0, a1 * gm - r.line * ga0), vertical);
  addClip(r.v1, vec3f(-a0 * gn, ga1, -a0 * gm - r.line * ga1), vertical);
}

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
  let n = i / pixels;
  let at = vec2u(i % params.width, i / params.width % params.height);
  let own = gradient[i];
  var sum = own;
  if (at.x > 0u) {
    sum += share(pairAt(n, i - 1u, at - vec2u(1u, 0u), false), false, own, gradient[i - 1u]);
  }
  if (at.x + 1u < params.width) {
    let r = pairAt(n, i, at, false);
    sum += share(r, true, own, gradient[i + 1u]);
    moveOutline(r, i, i + 1u, false);
  }
  if (at.y > 0u) {
    sum += share(pairAt(n, i - params.width, at - vec2u(0u, 1u), true), false, own, gradient[i - params.width]);
  }
  if (at.y + 1u < params.height) {
    let r = pairAt(n, i, at, true);
    sum += share(r, true, own, gradient[i + params.width]);
    moveOutline(r, i, i + params.width, true);
  }
  colorGradient[i] = sum;
}
