// #include "cube.wgsl"
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
    t.index[k] = cubeTexel(t.point.face, vec2i(corner) + vec2i(i32(k & 1u), i32(k >> 1u)), params.size)
      * params.channels;
  }
  return t;
}

@compute @workgroup_size(64)
fn sample(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
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
fn sampleBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
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
