// #include "barycentric.wgsl"
// #include "outlinePair.wgsl"

@group(0) @binding(5) var<storage, read_write> antialiased : array<vec4f>;

// What the pair gives to its first or second pixel.
fn share(r : Pair, ofFirst : bool, own : vec4f, neighbour : vec4f) -> vec4f {
  if (!r.found) {
    return vec4f(0.0);
  }
  // Beyond the middle the front covers part of the other pixel, before it the other shows within the front's.
  let receives = (r.d > 0.5) != (r.firstInFront == ofFirst);
  return select(vec4f(0.0), abs(r.d - 0.5) * (neighbour - own), receives);
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
  let own = color[i];
  var sum = own;
  if (at.x > 0u) {
    sum += share(pairAt(n, i - 1u, at - vec2u(1u, 0u), false), false, own, color[i - 1u]);
  }
  if (at.x + 1u < params.width) {
    sum += share(pairAt(n, i, at, false), true, own, color[i + 1u]);
  }
  if (at.y > 0u) {
    sum += share(pairAt(n, i - params.width, at - vec2u(0u, 1u), true), false, own, color[i - params.width]);
  }
  if (at.y + 1u < params.height) {
    sum += share(pairAt(n, i, at, true), true, own, color[i + params.width]);
  }
  antialiased[i] = sum;
}
