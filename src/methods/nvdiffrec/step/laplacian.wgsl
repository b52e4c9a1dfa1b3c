// Uniform Laplacian of the displacement from the starting positions, and the gradient of its squared length.

struct Params {
  count : u32,
  weight : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> neighbours : array<u32>;

// residuals
@group(0) @binding(2) var<storage, read> positions : array<f32>;
@group(0) @binding(3) var<storage, read> start : array<f32>;
@group(0) @binding(4) var<storage, read_write> deltas : array<vec4f>;

// addGradient
@group(0) @binding(2) var<storage, read> deltasIn : array<vec4f>;
@group(0) @binding(3) var<storage, read_write> gradient : array<f32>;

fn displacement(i : u32) -> vec3f {
  let at = i * 3u;
  return vec3f(positions[at] - start[at], positions[at + 1u] - start[at + 1u], positions[at + 2u] - start[at + 2u]);
}

fn item(group : vec3u, groups : vec3u, local : u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

@compute @workgroup_size(64)
fn residuals(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = item(group, groups, local);
  if (i >= params.count) {
    return;
  }
  let first = neighbours[i];
  let last = neighbours[i + 1u];
  var sum = vec3f(0.0);
  for (var k = first; k < last; k++) {
    sum += displacement(neighbours[params.count + 1u + k]);
  }
  let n = f32(last - first);
  deltas[i] = vec4f(select(vec3f(0.0), displacement(i) - sum / max(n, 1.0), n > 0.0), n);
}

@compute @workgroup_size(64)
fn addGradient(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = item(group, groups, local);
  if (i >= params.count) {
    return;
  }
  var sum = deltasIn[i].xyz;
  for (var k = neighbours[i]; k < neighbours[i + 1u]; k++) {
    let d = deltasIn[neighbours[params.count + 1u + k]];
    sum -= d.xyz / d.w;
  }
  let at = i * 3u;
  for (var c = 0u; c < 3u; c++) {
    gradient[at + c] += params.weight * sum[c];
  }
}
