// Which edges of each triangle are on the outline in a view: those without a neighbour, and those whose neighbour lies on the same side of the
// edge on the screen (one of the two faces away, or the surface folds).

struct Params {
  triangles : u32,
  views : u32,
  positions : u32,
  offset : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read_write> outlines : array<u32>;

// Sign tells the side of the screen line a → b on which c lies; homogeneous, for points in front of the camera.
fn side(a : vec4f, b : vec4f, c : vec4f) -> f32 {
  return dot(cross(a.xyw, b.xyw), c.xyw);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) local : u32) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.triangles * params.views) {
    return;
  }
  let n = i / params.triangles;
  let t = i - n * params.triangles;
  let base = params.offset + n * params.positions * 2u;
  let corner = triangles[t * 6u];
  let opposite = triangles[t * 6u + 1u];
  let own = side(vertices[base + corner.x * 2u], vertices[base + corner.y * 2u], vertices[base + corner.z * 2u]);
  var bits = 0u;
  for (var k = 0u; k < 3u; k++) {
    let other = opposite[k];
    if (other == 0xffffffffu) {
      bits |= 1u << k;
      continue;
    }
    let a = vertices[base + corner[k] * 2u];
    let b = vertices[base + corner[(k + 1u) % 3u] * 2u];
    if (side(a, b, vertices[base + other * 2u]) * own >= 0.0) {
      bits |= 1u << k;
    }
  }
  outlines[i] = bits;
}
