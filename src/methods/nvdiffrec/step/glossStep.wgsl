// #include "../start/palette.wgsl"
// #include "sharedAdam.wgsl"
// Roughness and metallic that all texels of like colour share: one shift per colour, against the sum of their
// gradients.

struct Params {
  // Texels of the whole pyramid, and of level 0.
  texels : u32,
  base : u32,
  colors : u32,
  // Units per 1.0 of the texels' gradients.
  scale : f32,
  roughness : f32,
  metallic : f32,
  minimumRoughness : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> texels : array<vec4f>;
@group(0) @binding(3) var<storage, read> texelGradients : array<vec4i>;

var<workgroup> partial : array<vec2f, 64>;

@compute @workgroup_size(64)
fn sum(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let thread = group.x * 64u + local;
  var sums : array<vec2f, 8>;
  for (var i = thread; i < params.texels; i += GROUPS * 64u) {
    let g = texelGradients[i * 2u + 1u].xy;
    if (all(g == vec2i(0))) {
      continue;
    }
    let near = nearestColor(texels[i * 2u].rgb);
    sums[near.index] += near.likeness * vec2f(g) / params.scale;
  }
  for (var k = 0u; k < COLORS; k++) {
    clusters[sumAt(k, 0u, thread)] = vec4f(sums[k], 0.0, 0.0);
  }
}

// One workgroup per colour.
@compute @workgroup_size(64)
fn step(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let k = group.x;
  var g = vec2f(0.0);
  for (var i = local; i < GROUPS * 64u; i += 64u) {
    g += clusters[sumAt(k, 0u, i)].xy;
  }
  partial[local] = g;
  workgroupBarrier();
  if (local == 0u) {
    g = vec2f(0.0);
    for (var i = 0u; i < 64u; i++) {
      g += partial[i];
    }
    let before = clusters[MOMENTS + k];
    let steps = clusters[SHIFTS + k].z + 1.0;
    let moments = movedMoments(Moments(vec3f(before.xy, 0.0), vec3f(before.zw, 0.0)), vec3f(g, 0.0));
    clusters[MOMENTS + k] = vec4f(moments.first.xy, moments.second.xy);
    clusters[SHIFTS + k] = vec4f(-vec2f(params.roughness, params.metallic) * adamStep(moments, steps).xy, steps, 0.0);
  }
}

@compute @workgroup_size(64)
fn apply(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.base) {
    return;
  }
  let near = nearestColor(texels[i * 2u].rgb);
  let own = texels[i * 2u + 1u];
  let moved = own.xy + near.likeness * clusters[SHIFTS + near.index].xy;
  texels[i * 2u + 1u] = vec4f(clamp(moved, vec2f(params.minimumRoughness, 0.0), vec2f(1.0)), own.zw);
}
