// #include "barycentric.wgsl"

// Barycentric coordinates and attributes at pixels, with their changes per pixel; and the gradients.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  offset : u32,
  channels : u32,
  attributes : u32,
  scale : f32,
  clipScale : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> ids : array<u32>;

// rasterize, rasterizeBackward
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(4) var<storage, read_write> rast : array<vec4f>;
@group(0) @binding(5) var<storage, read_write> rastDb : array<vec4f>;
@group(0) @binding(4) var<storage, read> weightGradient : array<vec4f>;
@group(0) @binding(5) var<storage, read_write> scatter : array<atomic<i32>>;

// interpolate, interpolateBackward
@group(0) @binding(2) var<storage, read> weights : array<vec4f>;
@group(0) @binding(3) var<storage, read> weightsDb : array<vec4f>;
@group(0) @binding(4) var<storage, read> corners : array<u32>;
@group(0) @binding(5) var<storage, read> attributes : array<f32>;
@group(0) @binding(6) var<storage, read_write> values : array<f32>;
@group(0) @binding(7) var<storage, read_write> valuesDb : array<vec2f>;
@group(0) @binding(6) var<storage, read> valueGradient : array<f32>;
@group(0) @binding(7) var<storage, read_write> attributeGradient : array<atomic<i32>>;
@group(0) @binding(8) var<storage, read_write> rastGradient : array<vec4f>;

const LIMIT : f32 = 134217728.0;

fn pixelIndex(group : vec3u, groups : vec3u, local : u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

struct Corners {
  record : vec3u,
  p : vec2f,
  c0 : vec4f,
  c1 : vec4f,
  c2 : vec4f,
};

fn cornersAt(i : u32) -> Corners {
  var c : Corners;
  let n = i / (params.width * params.height);
  c.p = pixelCenter(i % params.width, i / params.width % params.height, params.width, params.height);
  c.record = params.offset + (vec3u(n * params.positions) + triangles[(ids[i] - 1u) * 6u].xyz) * 2u;
  c.c0 = vertices[c.record.x];
  c.c1 = vertices[c.record.y];
  c.c2 = vertices[c.record.z];
  return c;
}

@compute @workgroup_size(64)
fn rasterize(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = pixelIndex(group, groups, local);
  if (i >= params.width * params.height * params.views) {
    return;
  }
  if (ids[i] == 0u) {
    rast[i] = vec4f(0.0);
    rastDb[i] = vec4f(0.0);
    return;
  }
  let c = cornersAt(i);
  let b = barycentric(c.p, c.c0, c.c1, c.c2);
  let w = vec3f(c.c0.w, c.c1.w, c.c2.w);
  let depth = dot(b.b, vec3f(c.c0.z, c.c1.z, c.c2.z)) / dot(b.b, w);
  let step = vec2f(2.0, -2.0) / vec2f(f32(params.width), f32(params.height));
  let dx = barycentricDx(b, w, step);
  let dy = barycentricDy(b, w, step);
  rast[i] = vec4f(b.b.xy, depth, f32(ids[i]));
  rastDb[i] = vec4f(dx.x, dy.x, dx.y, dy.y);
}

@compute @workgroup_size(64)
fn rasterizeBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = pixelIndex(group, groups, local);
  if (i >= params.width * params.height * params.views || ids[i] == 0u) {
    return;
  }
  let g = weightGradient[i].xy;
  if (all(g == vec2f(0.0))) {
    return;
  }
  let c = cornersAt(i);
  let gc = barycentricGradient(barycentric(c.p, c.c0, c.c1, c.c2), c.p, vec3f(g, 0.0));
  let all3 = array<vec3f, 3>(gc.g0, gc.g1, gc.g2);
  for (var k = 0u; k < 3u; k++) {
    let q = vec3i(round(clamp(all3[k] * params.clipScale, vec3f(-LIMIT), vec3f(LIMIT))));
    let at = (c.record[k] - params.offset) * 4u;
    for (var axis = 0u; axis < 3u; axis++) {
      atomicAdd(&scatter[at + axis], q[axis]);
    }
  }
}

fn weightsAt(i : u32) -> vec3f {
  let uv = weights[i].xy;
  return vec3f(uv, 1.0 - uv.x - uv.y);
}

@compute @workgroup_size(64)
fn interpolate(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = pixelIndex(group, groups, local);
  if (i >= params.width * params.height * params.views) {
    return;
  }
  let id = ids[i];
  let b = weightsAt(i);
  let d = weightsDb[i];
  for (var c = 0u; c < params.channels; c++) {
    var value = 0.0;
    var db = vec2f(0.0);
    if (id != 0u) {
      let t = (id - 1u) * 3u;
      let a = vec3f(
        attributes[corners[t] * params.channels + c],
        attributes[corners[t + 1u] * params.channels + c],
        attributes[corners[t + 2u] * params.channels + c],
      );
      value = dot(a, b);
      db = (a.x - a.z) * d.xy + (a.y - a.z) * d.zw;
    }
    values[i * params.channels + c] = value;
    valuesDb[i * params.channels + c] = db;
  }
}

@compute @workgroup_size(64)
fn interpolateBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = pixelIndex(group, groups, local);
  if (i >= params.width * params.height * params.views) {
    return;
  }
  var toWeights = vec2f(0.0);
  if (ids[i] != 0u) {
    let b = weightsAt(i);
    let t = (ids[i] - 1u) * 3u;
    for (var c = 0u; c < params.channels; c++) {
      let g = valueGradient[i * params.channels + c];
      let at = vec3u(corners[t], corners[t + 1u], corners[t + 2u]) * params.channels + c;
      let a = vec3f(attributes[at.x], attributes[at.y], attributes[at.z]);
      toWeights += g * (a.xy - a.z);
      for (var k = 0u; k < 3u; k++) {
        atomicAdd(&attributeGradient[at[k]], i32(round(clamp(g * b[k] * params.scale, -LIMIT, LIMIT))));
      }
    }
  }
  rastGradient[i] = vec4f(toWeights, 0.0, 0.0);
}
