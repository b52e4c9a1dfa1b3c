// #include "../start/palette.wgsl"
// Pulls roughness and metallic towards their mean around and towards their mean over all texels of like colour, and
// base colour towards the nearest of a few colours.

struct Params {
  width : u32,
  height : u32,
  // Level of the pyramid that holds the mean around, its size and first texel.
  levelWidth : u32,
  levelHeight : u32,
  levelOffset : u32,
  colors : u32,
  smoothShare : f32,
  glossShare : f32,
  paletteShare : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> texels : array<vec4f>;
@group(0) @binding(3) var<storage, read> moment2 : array<vec4f>;

// Differences beyond these are taken as wanted and pulled less (Perona & Malik 1990): roughness and metallic as they
// are.
const SMOOTH_REACH : f32 = 0.3;

var<workgroup> partialColor : array<vec4f, 64>;
var<workgroup> partialGloss : array<vec4f, 64>;

fn around(uv : vec2f) -> vec2f {
  let size = vec2i(i32(params.levelWidth), i32(params.levelHeight));
  let x = uv * vec2f(size) - 0.5;
  let corner = floor(x);
  let f = x - corner;
  var sum = vec2f(0.0);
  for (var k = 0; k < 4; k++) {
    let at = clamp(vec2i(corner) + vec2i(k & 1, k >> 1), vec2i(0), size - 1);
    let w = select(1.0 - f.x, f.x, (k & 1) == 1) * select(1.0 - f.y, f.y, k >= 2);
    sum += w * texels[(params.levelOffset + u32(at.y) * params.levelWidth + u32(at.x)) * 2u + 1u].xy;
  }
  return sum;
}

// A texel counts by how strongly pictures have asked for another value there: what was never asked is not known.
@compute @workgroup_size(64)
fn sumClusters(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let thread = group.x * 64u + local;
  var colors : array<vec4f, 8>;
  var gloss : array<vec4f, 8>;
  for (var i = thread; i < params.width * params.height; i += GROUPS * 64u) {
    let asked = sqrt(moment2[i * 2u].rgb);
    let wanted = dot(asked, vec3f(1.0));
    if (wanted == 0.0) {
      continue;
    }
    let own = texels[i * 2u].rgb;
    let near = nearestColor(own);
    colors[near.index] += near.likeness * wanted * vec4f(own, 1.0);
    let w = near.likeness * sqrt(moment2[i * 2u + 1u].xy);
    gloss[near.index] += vec4f(w * texels[i * 2u + 1u].xy, w);
  }
  for (var k = 0u; k < COLORS; k++) {
    clusters[sumAt(k, 0u, thread)] = colors[k];
    clusters[sumAt(k, 1u, thread)] = gloss[k];
  }
}

// One workgroup per colour.
@compute @workgroup_size(64)
fn meanClusters(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let k = group.x;
  var color = vec4f(0.0);
  var gloss = vec4f(0.0);
  for (var i = local; i < GROUPS * 64u; i += 64u) {
    color += clusters[sumAt(k, 0u, i)];
    gloss += clusters[sumAt(k, 1u, i)];
  }
  partialColor[local] = color;
  partialGloss[local] = gloss;
  workgroupBarrier();
  if (local == 0u) {
    color = vec4f(0.0);
    gloss = vec4f(0.0);
    for (var i = 0u; i < 64u; i++) {
      color += partialColor[i];
      gloss += partialGloss[i];
    }
    if (color.w > 0.0) {
      clusters[k] = vec4f(color.rgb / color.w, 0.0);
    }
    clusters[MEANS + k] = vec4f(gloss.xy / max(gloss.zw, vec2f(1e-20)), gloss.zw);
  }
}

fn pulledTo(d : vec2f, share : f32) -> vec2f {
  let reach = d / SMOOTH_REACH;
  return share * d / (1.0 + reach * reach);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.width * params.height) {
    return;
  }
  var rough = texels[i * 2u + 1u];
  if (params.smoothShare > 0.0) {
    let at = vec2f(f32(i % params.width), f32(i / params.width)) + 0.5;
    rough = vec4f(rough.xy + pulledTo(around(at / vec2f(f32(params.width), f32(params.height))) - rough.xy,
      params.smoothShare), rough.zw);
  }
  if (params.colors > 0u && (params.glossShare > 0.0 || params.paletteShare > 0.0)) {
    let own = texels[i * 2u];
    let near = nearestColor(own.rgb);
    if (params.glossShare > 0.0) {
      let mean = clusters[MEANS + near.index];
      let d = select(vec2f(0.0), mean.xy - rough.xy, mean.zw > vec2f(0.0));
      rough = vec4f(rough.xy + pulledTo(d, params.glossShare * near.likeness), rough.zw);
    }
    if (params.paletteShare > 0.0) {
      texels[i * 2u] = vec4f(own.rgb + params.paletteShare * near.likeness * (clusters[near.index].rgb - own.rgb),
        own.a);
    }
  }
  texels[i * 2u + 1u] = rough;
}
