// #include "sharedAdam.wgsl"
// Brightness and tint that light and base colour share: one factor per channel moves from one to the other, against the
// gradient.

struct Params {
  texels : u32,
  lightTexels : u32,
  // Units per 1.0 of the texels' gradients.
  scale : f32,
  rate : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> texels : array<vec4f>;
@group(0) @binding(2) var<storage, read_write> light : array<f32>;
// Two vec4f of moments (the first one's w counts steps), the last step, all steps so far, then the partial sums.
@group(0) @binding(3) var<storage, read_write> state : array<vec4f>;
@group(0) @binding(4) var<storage, read> texelGradients : array<vec4i>;
@group(0) @binding(5) var<storage, read> lightGradient : array<f32>;

const GROUPS : u32 = 64u;
const PARTIALS : u32 = 4u;
// The factor's logarithm stays within these: the brightest base colour, 0.75 at first, must not reach its end, where
// products no longer hold.
const LEAST : f32 = -0.25;
const MOST : f32 = 0.75;

var<workgroup> partial : array<vec3f, 64>;

// Derivative of the loss by the logarithm of the factor on the light.
@compute @workgroup_size(64)
fn sum(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  var total = vec3f(0.0);
  let first = group.x * 64u + local;
  for (var i = first; i < params.texels; i += GROUPS * 64u) {
    total -= texels[i * 2u].rgb * vec3f(texelGradients[i * 2u].rgb) / params.scale;
  }
  for (var i = first; i < params.lightTexels; i += GROUPS * 64u) {
    total += vec3f(lightGradient[i * 3u], lightGradient[i * 3u + 1u], lightGradient[i * 3u + 2u]);
  }
  partial[local] = total;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      partial[local] += partial[local + half];
    }
  }
  if (local == 0u) {
    state[PARTIALS + group.x] = vec4f(partial[0], 0.0);
  }
}

@compute @workgroup_size(1)
fn step() {
  var g = vec3f(0.0);
  for (var k = 0u; k < GROUPS; k++) {
    g += state[PARTIALS + k].xyz;
  }
  let steps = state[0].w + 1.0;
  let moments = movedMoments(Moments(state[0].xyz, state[1].xyz), g);
  state[0] = vec4f(moments.first, steps);
  state[1] = vec4f(moments.second, 0.0);
  let before = state[3].xyz;
  let after = clamp(before - params.rate * adamStep(moments, steps), vec3f(LEAST), vec3f(MOST));
  state[2] = vec4f(after - before, 0.0);
  state[3] = vec4f(after, 0.0);
}

@compute @workgroup_size(64)
fn apply(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  let gain = state[2].xyz;
  if (i < params.texels) {
    let own = texels[i * 2u];
    texels[i * 2u] = vec4f(min(own.rgb * exp(-gain), vec3f(1.0)), own.a);
  }
  if (i < params.lightTexels) {
    for (var c = 0u; c < 3u; c++) {
      light[i * 3u + c] += gain[c];
    }
  }
}
