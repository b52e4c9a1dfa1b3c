// Whether the surface at a point was seen: by a depth map that puts it there, or by an outline that passes through it.
// #include "observation.wgsl"

@group(0) @binding(2) var<storage, read> positions: array<f32>;
@group(0) @binding(3) var<storage, read_write> seen: array<u32>; // 1 depth, 2 outline
@group(0) @binding(4) var<uniform> grid: Grid; // count = points, truncation = greatest distance

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = (group.y * groups.x + group.x) * 64u + local;
  if (item >= grid.count) { return; }
  let p = vec3f(positions[item * 3u], positions[item * 3u + 1u], positions[item * 3u + 2u]);
  var found = 0u;
  if (grid.relevantOffset != 0u) { found = seen[item]; }
  for (var i = 0u; i < grid.observationCount; i++) {
    if (observations[i].kind == KIND_MASK) {
      if (abs(maskDistance(i, p)) <= grid.truncation) { found |= 2u; }
    } else {
      let claim = depthClaim(i, p);
      // The side of a narrow hole is all depth edges, yet its pixels saw it.
      if (abs(claim.surface) <= grid.truncation + claim.doubt) { found |= 1u; }
    }
  }
  seen[item] = found;
}
