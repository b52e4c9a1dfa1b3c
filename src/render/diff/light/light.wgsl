// Environment light: logarithms of radiance → pyramid of radiance → filtered maps, and the gradient back. Everything
// after the exponential is linear: a sparse matrix forward and its transpose back.

struct Params {
  size : u32,
  count : u32,
  offset : u32,
  levels : u32,
  scale : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> parameters : array<f32>;
@group(0) @binding(2) var<storage, read_write> pyramid : array<vec4f>;
@group(0) @binding(3) var<storage, read_write> gradient : array<f32>;

// filterLight and filterLightBackward
@group(0) @binding(1) var<storage, read> starts : array<u32>;
@group(0) @binding(2) var<storage, read> columns : array<u32>;
@group(0) @binding(3) var<storage, read> weights : array<f32>;
@group(0) @binding(4) var<storage, read> squares : array<vec4f>;
@group(0) @binding(4) var<storage, read> scatter : array<i32>;
@group(0) @binding(5) var<storage, read_write> sums : array<vec4f>;

// e⁹ is far above any light that a picture can tell, and its sums stay well inside f32.
const MAX_LOG = 9.0;

fn radiance(i : u32) -> vec3f {
  return exp(min(vec3f(parameters[i * 3u], parameters[i * 3u + 1u], parameters[i * 3u + 2u]), vec3f(MAX_LOG)));
}

// One thread per square of the pyramid: the mean of its texels.
@compute @workgroup_size(64)
fn buildPyramid(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  var level = 0u;
  var start = 0u;
  var s = params.size;
  while (i - start >= 6u * s * s) {
    start += 6u * s * s;
    s /= 2u;
    level++;
  }
  let at = i - start;
  let face = at / (s * s);
  let y = at / s % s;
  let x = at % s;
  let side = 1u << level;
  var sum = vec3f(0.0);
  for (var dy = 0u; dy < side; dy++) {
    for (var dx = 0u; dx < side; dx++) {
      sum += radiance((face * params.size + y * side + dy) * params.size + x * side + dx);
    }
  }
  pyramid[i] = vec4f(sum / f32(side * side), 0.0);
}

// One thread per filtered texel.
@compute @workgroup_size(64)
fn filterLight(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  var sum = vec4f(0.0);
  for (var k = starts[i]; k < starts[i + 1u]; k++) {
    sum += squares[columns[k]] * weights[k];
  }
  sums[i] = sum;
}

// One thread per square of the pyramid: its gradient (the matrix given is the transpose).
@compute @workgroup_size(64)
fn filterLightBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  var sum = vec3f(0.0);
  for (var k = starts[i]; k < starts[i + 1u]; k++) {
    let at = params.offset + columns[k] * 4u;
    sum += vec3f(f32(scatter[at]), f32(scatter[at + 1u]), f32(scatter[at + 2u])) * weights[k];
  }
  sums[i] = vec4f(sum / params.scale, 0.0);
}

// One thread per texel of the cube map: the gradients of the squares it is in, through the exponential.
@compute @workgroup_size(64)
fn pyramidBackward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  let face = i / (params.size * params.size);
  let y = i / params.size % params.size;
  let x = i % params.size;
  var start = 0u;
  var s = params.size;
  var sum = vec3f(0.0);
  for (var level = 0u; level < params.levels; level++) {
    sum += pyramid[start + (face * s + (y >> level)) * s + (x >> level)].rgb / f32(1u << (2u * level));
    start += 6u * s * s;
    s /= 2u;
  }
  for (var c = 0u; c < 3u; c++) {
    let p = parameters[i * 3u + c];
    gradient[i * 3u + c] = select(sum[c] * exp(p), 0.0, p > MAX_LOG);
  }
}
