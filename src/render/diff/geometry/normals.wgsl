// Smooth vertex normals: the sum of the area vectors of the triangles around each position, normalised; and the
// gradient back.

struct Params {
  positions : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> positions : array<f32>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> corners : array<u32>;
@group(0) @binding(4) var<storage, read_write> normals : array<vec4f>;

fn point(p : u32) -> vec3f {
  return vec3f(positions[p * 3u], positions[p * 3u + 1u], positions[p * 3u + 2u]);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.positions) {
    return;
  }
  var sum = vec3f(0.0);
  let list = params.positions + 1u;
  for (var k = corners[i]; k < corners[i + 1u]; k++) {
    let t = triangles[corners[list + k] / 3u * 6u];
    let a = point(t.x);
    sum += cross(point(t.y) - a, point(t.z) - a);
  }
  let l = length(sum);
  normals[i] = vec4f(select(vec3f(0.0, 1.0, 0.0), sum / l, l > 1e-30), l);
}
