// Bilinear fetch from a cube map, seamless: beyond the rim of a face the neighbouring face's texels count.

struct Params {
  count : u32,
  size : u32,
  channels : u32,
  scale : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> directions : array<f32>;
@group(0) @binding(2) var<storage, read> texels : array<f32>;
@group(0) @binding(3) var<storage, read_write> values : array<f32>;
@group(0) @binding(3) var<storage, read> valueGradient : array<f32>;
@group(0) @binding(4) var<storage, read_write> texelGradient : array<atomic<i32>>;
@group(0) @binding(5) var<storage, read_write> directionGradient : array<f32>;

const LIMIT : f32 = 134217728.0;

struct FacePoint {
  face : u32,
  major : f32,
  st : vec2f,
};

fn project(d : vec3f) -> FacePoint {
  let a = abs(d);
  if (a.x >= a.y && a.x >= a.z) {
    return FacePoint(select(1u, 0u, d.x > 0.0), a.x, vec2f(select(d.z, -d.z, d.x > 0.0), -d.y) / a.x);
  }
  if (a.y >= a.z) {
    return FacePoint(select(3u, 2u, d.y > 0.0), a.y, vec2f(d.x, select(-d.z, d.z, d.y > 0.0)) / a.y);
  }
  return FacePoint(select(5u, 4u, d.z > 0.0), a.z, vec2f(select(-d.x, d.x, d.z > 0.0), -d.y) / a.z);
}

// From the face's own axes (along s, along t, outwards) to space.
fn unfold(face : u32, v : vec3f) -> vec3f {
  switch face {
    case 0u: { return vec3f(v.z, -v.y, -v.x); }
    case 1u: { return vec3f(-v.z, -v.y, v.x); }
    case 2u: { return vec3f(v.x, v.z, v.y); }
    case 3u: { return vec3f(v.x, -v.z, -v.y); }
    case 4u: { return vec3f(v.x, -v.y, v.z); }
    default: { return vec3f(-v.x, -v.y, -v.z); }
  }
}

fn texelIndex(face : u32, at : vec2i) -> u32 {
  let size = i32(params.size);
  var f = face;
  var p = at;
  if (any(at < vec2i(0)) || any(at >= vec2i(size))) {
    let st = (vec2f(at) + 0.5) * 2.0 / f32(size) - 1.0;
    let other = project(unfold(face, vec3f(st, 1.0)));
    f = other.face;
    p = clamp(vec2i(floor((other.st + 1.0) * 0.5 * f32(size))), vec2i(0), vec2i(size - 1));
  }
  return ((f * params.size + u32(p.y)) * params.size + u32(p.x)) * params.channels;
}

struct Taps {
  point : FacePoint,
  index : array<u32, 4>,
  f : vec2f,
};

fn tapsAt(i : u32) -> Taps {
  var t : Taps;
  t.point = project(vec3f(directions[i * 3u], directions[i * 3u + 1u], directions[i * 3u + 2u]));
  let x = (t.point.st + 1.0) * 0.5 * f32(params.size) - 0.5;
  let corner = floor(x);
  t.f = x - corner;
  for (var k = 0u; k < 4u; k++) {
    t.index[k] = texelIndex(t.point.face, vec2i(corner) + vec2i(i32(k & 1u), i32(k >> 1u)));
  }
  return t;
}

@compute @workgroup_size(64)
fn sample(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) local : u32) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  let t = tapsAt(i);
  for (var c = 0u; c < params.channels; c++) {
    let top = mix(texels[t.index[0] + c], texels[t.index[1] + c], t.f.x);
    let bottom = mix(texels[t.index[2] + c], texels[t.index[3] + c], t.f.x);
    values[i * params.channels + c] = mix(top, bottom, t.f.y);
  }
}

@compute @workgroup_size(64)
fn sampleBackward(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) local : u32) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  let t = tapsAt(i);
  var slope = vec2f(0.0);
  for (var c = 0u; c < params.channels; c++) {
    let g = valueGradient[i * params.channels + c];
    for (var k = 0u; k < 4u; k++) {
      let w = select(1.0 - t.f.x, t.f.x, (k & 1u) == 1u) * select(1.0 - t.f.y, t.f.y, k >= 2u);
      let q = i32(round(clamp(g * w * params.scale, -LIMIT, LIMIT)));
      if (q != 0) {
        atomicAdd(&texelGradient[t.index[k] + c], q);
      }
    }
    let v0 = texels[t.index[0] + c];
    let v1 = texels[t.index[1] + c];
    let v2 = texels[t.index[2] + c];
    let v3 = texels[t.index[3] + c];
    slope += g * vec2f(mix(v1 - v0, v3 - v2, t.f.y), mix(v2 - v0, v3 - v1, t.f.x));
  }
  let toSt = slope * 0.5 * f32(params.size) / t.point.major;
  let g = unfold(t.point.face, vec3f(toSt, -dot(toSt, t.point.st)));
  directionGradient[i * 3u] = g.x;
  directionGradient[i * 3u + 1u] = g.y;
  directionGradient[i * 3u + 2u] = g.z;
}
