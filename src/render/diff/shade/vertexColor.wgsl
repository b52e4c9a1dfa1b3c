// #include "../geometry/barycentric.wgsl"

// Colours of vertices as the picture, and the gradients of colours, coverage and clip positions summed per position.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  offset : u32,
  clipScale : f32,
  colorScale : f32,
  pressure : f32,
  least : f32,
  indices : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;

// forward, backward
@group(0) @binding(1) var<storage, read> ids : array<u32>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(4) var<storage, read> colors : array<vec4f>;
@group(0) @binding(5) var<storage, read_write> color : array<vec4f>;
@group(0) @binding(5) var<storage, read> colorGradient : array<vec4f>;
@group(0) @binding(6) var<storage, read_write> clipScatter : array<atomic<i32>>;
@group(0) @binding(7) var<storage, read_write> colorScatter : array<atomic<i32>>;

// gather
@group(0) @binding(1) var<storage, read> cameras : array<vec4f>;
@group(0) @binding(2) var<storage, read> clipSums : array<i32>;
@group(0) @binding(3) var<storage, read> colorSums : array<vec4i>;
@group(0) @binding(4) var<storage, read_write> gradient : array<vec4f>;

const LIMIT : f32 = 134217728.0;

fn itemAt(group : vec3u, groups : vec3u, local : u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

struct Hit {
  corner : vec3u,
  // Records of the corners in `vertices`.
  record : vec3u,
  p : vec2f,
  bary : Barycentric,
};

fn hitAt(i : u32, id : u32) -> Hit {
  var h : Hit;
  let n = i / (params.width * params.height);
  h.p = pixelCenter(i % params.width, i / params.width % params.height, params.width, params.height);
  h.corner = triangles[(id - 1u) * 6u].xyz;
  h.record = params.offset + (vec3u(n * params.positions) + h.corner) * 2u;
  h.bary = barycentric(h.p, vertices[h.record.x], vertices[h.record.y], vertices[h.record.z]);
  return h;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = itemAt(group, groups, local);
  if (i >= params.width * params.height * params.views) {
    return;
  }
  let id = ids[i];
  if (id == 0u) {
    color[i] = vec4f(0.0);
    return;
  }
  let h = hitAt(i, id);
  color[i] = vec4f(mat3x3f(colors[h.corner.x].rgb, colors[h.corner.y].rgb, colors[h.corner.z].rgb) * h.bary.b, 1.0);
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = itemAt(group, groups, local);
  if (i >= params.width * params.height * params.views) {
    return;
  }
  let id = ids[i];
  let g = colorGradient[i];
  if (id == 0u || all(g == vec4f(0.0))) {
    return;
  }
  let h = hitAt(i, id);
  let gb = g.rgb * mat3x3f(colors[h.corner.x].rgb, colors[h.corner.y].rgb, colors[h.corner.z].rgb);
  let gc = barycentricGradient(h.bary, h.p, gb);
  let all3 = array<vec3f, 3>(gc.g0, gc.g1, gc.g2);
  let pressing = vec4f(g.rgb, select(0.0, g.a, g.a >= params.least));
  for (var k = 0u; k < 3u; k++) {
    let clip = vec3i(round(clamp(all3[k] * params.clipScale, vec3f(-LIMIT), vec3f(LIMIT))));
    let at = (h.record[k] - params.offset) * 4u;
    for (var axis = 0u; axis < 3u; axis++) {
      if (clip[axis] != 0) {
        atomicAdd(&clipScatter[at + axis], clip[axis]);
      }
    }
    let q = vec4i(round(clamp(pressing * (h.bary.b[k] * params.colorScale), vec4f(-LIMIT), vec4f(LIMIT))));
    for (var c = 0u; c < 4u; c++) {
      if (q[c] != 0) {
        atomicAdd(&colorScatter[h.corner[k] * 4u + c], q[c]);
      }
    }
  }
}

@compute @workgroup_size(64)
fn gather(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = itemAt(group, groups, local);
  if (i >= params.positions) {
    return;
  }
  var g = vec3f(0.0);
  for (var n = 0u; n < params.views; n++) {
    let camera = params.indices[n / 4u][n % 4u] * 8u;
    let at = (n * params.positions + i) * 8u;
    let c = vec3f(vec3i(clipSums[at], clipSums[at + 1u], clipSums[at + 2u])) / params.clipScale;
    g += vec3f(dot(cameras[camera].xyw, c), dot(cameras[camera + 1u].xyw, c), dot(cameras[camera + 2u].xyw, c));
  }
  let sums = vec4f(colorSums[i]) / params.colorScale;
  gradient[i * 2u] = vec4f(g, -params.pressure * sums.w);
  gradient[i * 2u + 1u] = vec4f(sums.rgb, 0.0);
}
