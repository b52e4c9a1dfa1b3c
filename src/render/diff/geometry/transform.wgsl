// World positions to clip space for every view of a frame; copies normals beside them and the views' rays in front.

struct Params {
  positions : u32,
  views : u32,
  offset : u32,
  unused : u32,
  indices : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> positions : array<f32>;
@group(0) @binding(2) var<storage, read> normals : array<vec4f>;
@group(0) @binding(3) var<storage, read> cameras : array<vec4f>;
@group(0) @binding(4) var<storage, read_write> vertices : array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.positions * params.views) {
    return;
  }
  let n = i / params.positions;
  let p = i - n * params.positions;
  let camera = params.indices[n / 4u][n % 4u] * 8u;
  let x = vec3f(positions[p * 3u], positions[p * 3u + 1u], positions[p * 3u + 2u]);
  let at = params.offset + i * 2u;
  vertices[at] = cameras[camera] * x.x + cameras[camera + 1u] * x.y + cameras[camera + 2u] * x.z + cameras[camera + 3u];
  vertices[at + 1u] = normals[p];
  if (p == 0u) {
    for (var k = 0u; k < 3u; k++) {
      vertices[n * 4u + k] = cameras[camera + 5u + k];
    }
    vertices[n * 4u + 3u] = vec4f(0.0);
  }
}
