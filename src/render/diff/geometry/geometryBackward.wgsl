// Gradients of clip positions and normals, summed over the views, to the shared positions.

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
@group(0) @binding(2) var<storage, read> normals : array<vec4f>;
@group(0) @binding(3) var<storage, read> cameras : array<vec4f>;
@group(0) @binding(4) var<storage, read_write> scatter : array<i32>;
@group(0) @binding(5) var<storage, read_write> areaGradients : array<vec4f>;
@group(0) @binding(6) var<storage, read_write> gradient : array<f32>;

// throughNormals
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> corners : array<u32>;

@compute @workgroup_size(64)
fn throughCameras(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.positions) {
    return;
  }
  var g = vec3f(0.0);
  var gn = vec3f(0.0);
  var largest = 0;
  for (var n = 0u; n < params.views; n++) {
    let camera = params.indices[n / 4u][n % 4u] * 8u;
    let at = (n * params.positions + i) * 8u;
    let q = vec3i(scatter[at], scatter[at + 1u], scatter[at + 2u]);
    let qn = vec3i(scatter[at + 4u], scatter[at + 5u], scatter[at + 6u]);
    let m = max(abs(q), abs(qn));
    largest = max(largest, max(m.x, max(m.y, m.z)));
    let c = vec3f(q) / params.clipScale;
    g += vec3f(dot(cameras[camera].xyw, c), dot(cameras[camera + 1u].xyw, c), dot(cameras[camera + 2u].xyw, c));
    gn += vec3f(qn) / params.normalScale;
  }
  if (largest > (1 << 30u)) {
    scatter[params.overflowOffset] = 1;
  }
  let normal = normals[i];
  // The normal is the sum of area vectors made unit; w is that sum's length.
  areaGradients[i] = vec4f((gn - normal.xyz * dot(normal.xyz, gn)) / max(normal.w, 1e-20), 0.0);
  gradient[i * 3u] = g.x;
  gradient[i * 3u + 1u] = g.y;
  gradient[i * 3u + 2u] = g.z;
}

fn point(p : u32) -> vec3f {
  return vec3f(positions[p * 3u], positions[p * 3u + 1u], positions[p * 3u + 2u]);
}

@compute @workgroup_size(64)
fn throughNormals(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.positions) {
    return;
  }
  var g = vec3f(0.0);
  let list = params.positions + 1u;
  for (var k = corners[i]; k < corners[i + 1u]; k++) {
    let corner = corners[list + k];
    let t = triangles[corner / 3u * 6u];
    let m = areaGradients[t.x].xyz + areaGradients[t.y].xyz + areaGradients[t.z].xyz;
    g += cross(point(t[(corner + 1u) % 3u]) - point(t[(corner + 2u) % 3u]), m);
  }
  gradient[i * 3u] += g.x;
  gradient[i * 3u + 1u] += g.y;
  gradient[i * 3u + 2u] += g.z;
}
