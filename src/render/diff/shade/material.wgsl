// The material's pyramid of texels: mip levels, and the step of Adam on the texels that were seen.

struct Params {
  width : u32,
  height : u32,
  levels : u32,
  first : u32,
  flagOffset : u32,
  overflowOffset : u32,
  scale : f32,
  beta1 : f32,
  beta2 : f32,
  epsilon : f32,
  normalLimit : f32,
  minimumRoughness : f32,
  // Learning rates: base colour, occlusion; roughness, metallic, normal x and y.
  rates0 : vec4f,
  rates1 : vec4f,
  levelOffsets : array<vec4u, 4>,
  tileOffsets : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> texels : array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scatter : array<i32>;
@group(0) @binding(3) var<storage, read_write> texelGradients : array<vec4i>;
@group(0) @binding(4) var<storage, read_write> moment1 : array<vec4f>;
@group(0) @binding(5) var<storage, read_write> moment2 : array<vec4f>;

fn levelOffset(level : u32) -> u32 {
  return params.levelOffsets[level / 4u][level % 4u];
}

fn levelSize(level : u32) -> vec2u {
  return max(vec2u(params.width, params.height) >> vec2u(level), vec2u(1u));
}

// Which levels of the pyramid above an 8 × 8 tile of level 0 were touched in this iteration: one bit per level.
fn seenLevels(tileIndex : u32) -> u32 {
  return u32(scatter[params.flagOffset + tileIndex]);
}

fn workgroupIndex(group : vec3u, groups : vec3u) -> u32 {
  return group.y * groups.x + group.x;
}

// One thread per tile of level 0: gathers the flags of the tiles above into its own.
@compute @workgroup_size(64)
fn markTiles(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = workgroupIndex(group, groups) * 64u + local;
  let across = (params.width + 7u) / 8u;
  if (i >= across * ((params.height + 7u) / 8u)) {
    return;
  }
  let tile = vec2u(i % across, i / across);
  var bits = 0u;
  for (var level = 0u; level < params.levels; level++) {
    let at = tile >> vec2u(max(level, 3u) - 3u);
    let shift = 3u - min(level, 3u);
    let levelAcross = ((levelSize(level).x - 1u) >> shift) + 1u;
    let start = params.tileOffsets[level / 4u][level % 4u];
    if (scatter[params.flagOffset + start + at.y * levelAcross + at.x] != 0) {
      bits |= 1u << level;
    }
  }
  scatter[params.flagOffset + i] = i32(bits);
}

// One workgroup per 8 × 8 tile of level 0. A texel's gradient is that of itself and its share in those of the texels
// above it.
@compute @workgroup_size(64)
fn step(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let across = (params.width + 7u) / 8u;
  let tileIndex = workgroupIndex(group, groups);
  let tile = vec2u(tileIndex % across, tileIndex / across);
  let at = tile * 8u + vec2u(local % 8u, local / 8u);
  if (at.x >= params.width || at.y >= params.height) {
    return;
  }
  let seen = seenLevels(tileIndex);
  if (seen == 0u) {
    return;
  }
  var g0 = vec4f(0.0);
  var g1 = vec4f(0.0);
  var share = 1.0 / params.scale;
  for (var level = 0u; level < params.levels; level++) {
    let size = levelSize(level);
    if ((seen & (1u << level)) != 0u) {
      let texel = min(at >> vec2u(level), size - 1u);
      let i = (levelOffset(level) + texel.y * size.x + texel.x) * 2u;
      g0 += vec4f(texelGradients[i]) * share;
      g1 += vec4f(texelGradients[i + 1u]) * share;
      if (level == 0u) {
        let largest = max(abs(texelGradients[i]), abs(texelGradients[i + 1u]));
        if (max(max(largest.x, largest.y), max(largest.z, largest.w)) > (1 << 30u)) {
          scatter[params.overflowOffset] = 1;
        }
        texelGradients[i] = vec4i(0);
        texelGradients[i + 1u] = vec4i(0);
      }
    }
    // Texels of a level are the mean of four, of two where the level above was one texel high or wide, of one at 1 × 1.
    share *= select(1.0, 0.5, size.x > 1u) * select(1.0, 0.5, size.y > 1u);
  }
  let i = (at.y * params.width + at.x) * 2u;
  if (any(g0 != vec4f(0.0)) || any(g1 != vec4f(0.0))) {
    let m0 = mix(g0, moment1[i], params.beta1);
    let m1 = mix(g1, moment1[i + 1u], params.beta1);
    let v0 = mix(g0 * g0, moment2[i], params.beta2);
    let v1 = mix(g1 * g1, moment2[i + 1u], params.beta2);
    moment1[i] = m0;
    moment1[i + 1u] = m1;
    moment2[i] = v0;
    moment2[i + 1u] = v1;
    let a = texels[i] - params.rates0 * m0 / (sqrt(v0) + params.epsilon);
    let b = texels[i + 1u] - params.rates1 * m1 / (sqrt(v1) + params.epsilon);
    let limit = vec2f(params.normalLimit);
    texels[i] = clamp(a, vec4f(0.0), vec4f(1.0));
    texels[i + 1u] = vec4f(clamp(b.x, params.minimumRoughness, 1.0), clamp(b.y, 0.0, 1.0), clamp(b.zw, -limit, limit));
  }
}

// Level `first` + 1 from level `first`; one thread per texel, 64 in a row of 8 × 8 so that threads of a tile that did
// not change end together.
@compute @workgroup_size(64)
fn mips(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let level = params.first + 1u;
  let size = levelSize(level);
  let across = (size.x + 7u) / 8u;
  let index = workgroupIndex(group, groups);
  let at = vec2u(index % across, index / across) * 8u + vec2u(local % 8u, local / 8u);
  if (any(at >= size)) {
    return;
  }
  if (params.flagOffset != 0xffffffffu && level <= 3u) {
    // The tile of level 0 that this texel lies in.
    let tile = min((at << vec2u(level)), vec2u(params.width, params.height) - 1u) / 8u;
    if (seenLevels(tile.y * ((params.width + 7u) / 8u) + tile.x) == 0u) {
      return;
    }
  }
  let above = levelSize(params.first);
  let start = levelOffset(params.first);
  var sum0 = vec4f(0.0);
  var sum1 = vec4f(0.0);
  for (var k = 0u; k < 4u; k++) {
    let texel = min(at * 2u + vec2u(k & 1u, k >> 1u), above - 1u);
    let i = (start + texel.y * above.x + texel.x) * 2u;
    sum0 += texels[i];
    sum1 += texels[i + 1u];
  }
  let i = (levelOffset(level) + at.y * size.x + at.x) * 2u;
  texels[i] = sum0 * 0.25;
  texels[i + 1u] = sum1 * 0.25;
}
