// Texture fetch with wrap modes, bilinear in each level and linear between levels; its gradients to texels, coordinates
// and their changes per pixel; and the mip levels with theirs.

struct Params {
  count : u32,
  width : u32,
  height : u32,
  levels : u32,
  channels : u32,
  wrap : u32,
  scale : f32,
  level : u32,
  levelOffsets : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> uvs : array<vec2f>;
@group(0) @binding(2) var<storage, read> uvDbs : array<vec4f>;
@group(0) @binding(3) var<storage, read> texels : array<f32>;
@group(0) @binding(4) var<storage, read_write> values : array<f32>;
@group(0) @binding(4) var<storage, read> valueGradient : array<f32>;
@group(0) @binding(5) var<storage, read_write> texelGradient : array<atomic<i32>>;
@group(0) @binding(6) var<storage, read_write> uvGradient : array<vec2f>;
@group(0) @binding(7) var<storage, read_write> uvDbGradient : array<vec4f>;

// mips: in place; mipsBackward: all levels to level 0
@group(0) @binding(1) var<storage, read_write> pyramid : array<f32>;
@group(0) @binding(1) var<storage, read> pyramidGradient : array<i32>;
@group(0) @binding(2) var<storage, read_write> baseGradient : array<f32>;

const REPEAT : u32 = 0u;
const CLAMP : u32 = 1u;
const LIMIT : f32 = 134217728.0;

fn levelSize(level : u32) -> vec2u {
  return max(vec2u(params.width, params.height) >> vec2u(level), vec2u(1u));
}

fn levelOffset(level : u32) -> u32 {
  return params.levelOffsets[level / 4u][level % 4u];
}

fn wrapped(x : i32, size : i32) -> u32 {
  if (params.wrap == REPEAT) {
    return u32(((x % size) + size) % size);
  }
  if (params.wrap == CLAMP) {
    return u32(clamp(x, 0, size - 1));
  }
  let period = ((x % (2 * size)) + 2 * size) % (2 * size);
  return u32(min(period, 2 * size - 1 - period));
}

struct Taps {
  index : array<u32, 4>,
  f : vec2f,
  size : vec2f,
};

fn tapsAt(uv : vec2f, level : u32) -> Taps {
  var t : Taps;
  let size = levelSize(level);
  t.size = vec2f(size);
  let x = uv * t.size - 0.5;
  let corner = floor(x);
  t.f = x - corner;
  for (var k = 0u; k < 4u; k++) {
    let c = vec2i(corner) + vec2i(i32(k & 1u), i32(k >> 1u));
    t.index[k] = (levelOffset(level) + wrapped(c.y, i32(size.y)) * size.x + wrapped(c.x, i32(size.x)))
      * params.channels;
  }
  return t;
}

fn fetch(t : Taps, c : u32) -> f32 {
  return mix(mix(texels[t.index[0] + c], texels[t.index[1] + c], t.f.x), mix(texels[t.index[2] + c], texels[t.index[3]
    + c], t.f.x), t.f.y);
}

// Level by the longer of the two steps, unclamped; steps in texels of level 0.
struct Lod {
  value : f32,
  // Gradient of the unclamped value to (du/dx, du/dy, dv/dx, dv/dy); zero where it is clamped.
  slope : vec4f,
};

fn lodAt(db : vec4f) -> Lod {
  let size = vec2f(f32(params.width), f32(params.height));
  let dx = db.xz * size;
  let dy = db.yw * size;
  let xLonger = dot(dx, dx) >= dot(dy, dy);
  let d = select(dy, dx, xLonger);
  let square = max(dot(d, d), 1e-12);
  let lod = 0.5 * log2(square);
  let last = f32(params.levels - 1u);
  let s = d * size / (square * 0.6931471805599453);
  let inside = f32(lod > 0.0 && lod < last);
  return Lod(clamp(lod, 0.0, last), select(vec4f(0.0, s.x, 0.0, s.y), vec4f(s.x, 0.0, s.y, 0.0), xLonger) * inside);
}

fn item(group : vec3u, groups : vec3u, local : u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

@compute @workgroup_size(64)
fn sample(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = item(group, groups, local);
  if (i >= params.count) {
    return;
  }
  let lod = lodAt(uvDbs[i]).value;
  let level = u32(lod);
  let fine = tapsAt(uvs[i], level);
  let coarse = tapsAt(uvs[i], min(level + 1u, params.levels - 1u));
  for (var c = 0u; c < params.channels; c++) {
    values[i * params.channels + c] = mix(fetch(fine, c), fetch(coarse, c), lod - f32(level));
  }
}

fn scatterTexel(t : Taps, c : u32, g : f32) {
  for (var k = 0u; k < 4u; k++) {
    let w = select(1.0 - t.f.x, t.f.x, (k & 1u) == 1u) * select(1.0 - t.f.y, t.f.y, k >= 2u);
    let q = i32(round(clamp(g * w * params.scale, -LIMIT, LIMIT)));
    if (q != 0) {
      atomicAdd(&texelGradient[t.index[k] + c], q);
    }
  }
}

fn coordinateSlope(t : Taps, c : u32) -> vec2f {
  let v0 = texels[t.index[0] + c];
  let v1 = texels[t.index[1] + c];
  let v2 = texels[t.index[2] + c];
  let v3 = texels[t.index[3] + c];
  return vec2f(mix(v1 - v0, v3 - v2, t.f.y), mix(v2 - v0, v3 - v1, t.f.x)) * t.size;
}

@compute @workgroup_size(64)
fn sampleBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = item(group, groups, local);
  if (i >= params.count) {
    return;
  }
  let lod = lodAt(uvDbs[i]);
  let level = u32(lod.value);
  let share = lod.value - f32(level);
  let fine = tapsAt(uvs[i], level);
  let coarse = tapsAt(uvs[i], min(level + 1u, params.levels - 1u));
  var toUv = vec2f(0.0);
  var toLod = 0.0;
  for (var c = 0u; c < params.channels; c++) {
    let g = valueGradient[i * params.channels + c];
    if (g == 0.0) {
      continue;
    }
    scatterTexel(fine, c, g * (1.0 - share));
    if (share > 0.0) {
      scatterTexel(coarse, c, g * share);
    }
    toUv += g * mix(coordinateSlope(fine, c), coordinateSlope(coarse, c), share);
    toLod += g * (fetch(coarse, c) - fetch(fine, c));
  }
  uvGradient[i] = toUv;
  uvDbGradient[i] = lod.slope * toLod;
}

// One thread per number of level `level` + 1.
@compute @workgroup_size(64)
fn mips(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = item(group, groups, local);
  if (i >= params.count) {
    return;
  }
  let above = levelSize(params.level);
  let size = levelSize(params.level + 1u);
  let c = i % params.channels;
  let texel = i / params.channels;
  let at = vec2u(texel % size.x, texel / size.x);
  var sum = 0.0;
  for (var k = 0u; k < 4u; k++) {
    let source = min(at * 2u + vec2u(k & 1u, k >> 1u), above - 1u);
    sum += pyramid[(levelOffset(params.level) + source.y * above.x + source.x) * params.channels + c];
  }
  pyramid[levelOffset(params.level + 1u) * params.channels + i] = sum * 0.25;
}

// One thread per number of level 0.
@compute @workgroup_size(64)
fn mipsBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = item(group, groups, local);
  if (i >= params.count) {
    return;
  }
  let c = i % params.channels;
  let at = vec2u(i / params.channels % params.width, i / params.channels / params.width);
  var sum = 0.0;
  var share = 1.0 / params.scale;
  for (var level = 0u; level < params.levels; level++) {
    let size = levelSize(level);
    let texel = min(at >> vec2u(level), size - 1u);
    sum += f32(pyramidGradient[(levelOffset(level) + texel.y * size.x + texel.x) * params.channels + c]) * share;
    share *= select(1.0, 0.5, size.x > 1u) * select(1.0, 0.5, size.y > 1u);
  }
  baseGradient[i] = sum;
}
