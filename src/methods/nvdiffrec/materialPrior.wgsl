// Pulls roughness and metallic towards their mean around, and base colour towards the nearest of a few colours.

struct Params {
  width : u32,
  height : u32,
  // Level of the pyramid that holds the mean around, its size and first texel.
  levelWidth : u32,
  levelHeight : u32,
  levelOffset : u32,
  colors : u32,
  smoothShare : f32,
  paletteShare : f32,
  // Linear colours.
  palette : array<vec4f, 8>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> texels : array<vec4f>;

// Differences beyond these are taken as wanted and pulled less (Perona & Malik 1990): roughness and metallic as they are, colour in cube roots.
const SMOOTH_REACH : f32 = 0.3;
const PALETTE_REACH : f32 = 0.08;

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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) local : u32) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.width * params.height) {
    return;
  }
  if (params.smoothShare > 0.0) {
    let at = vec2f(f32(i % params.width), f32(i / params.width)) + 0.5;
    var rough = texels[i * 2u + 1u];
    let d = around(at / vec2f(f32(params.width), f32(params.height))) - rough.xy;
    let reach = d / SMOOTH_REACH;
    rough = vec4f(rough.xy + params.smoothShare * d / (1.0 + reach * reach), rough.zw);
    texels[i * 2u + 1u] = rough;
  }
  if (params.paletteShare > 0.0 && params.colors > 0u) {
    let own = texels[i * 2u];
    let bent = pow(max(own.rgb, vec3f(0.0)), vec3f(1.0 / 3.0));
    var least = 1e9;
    var nearest = own.rgb;
    for (var k = 0u; k < params.colors; k++) {
      let d = bent - pow(params.palette[k].rgb, vec3f(1.0 / 3.0));
      if (dot(d, d) < least) {
        least = dot(d, d);
        nearest = params.palette[k].rgb;
      }
    }
    let share = params.paletteShare / (1.0 + least / (PALETTE_REACH * PALETTE_REACH));
    texels[i * 2u] = vec4f(own.rgb + share * (nearest - own.rgb), own.a);
  }
}
