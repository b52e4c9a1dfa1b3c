// #include "../../../render/diff/light/cube.wgsl"
// Pulls the light's logarithms of radiance towards grey, without changing their mean, and towards those around.

struct Params {
  size : u32,
  neutral : f32,
  smoothShare : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> parameters : array<f32>;
@group(0) @binding(2) var<storage, read_write> before : array<f32>;

@compute @workgroup_size(64)
fn keep(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i < 18u * params.size * params.size) {
    before[i] = parameters[i];
  }
}

fn keptAt(texel : u32) -> vec3f {
  return vec3f(before[texel * 3u], before[texel * 3u + 1u], before[texel * 3u + 2u]);
}

@compute @workgroup_size(64)
fn pull(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  let size = params.size;
  if (i >= 6u * size * size) {
    return;
  }
  let face = i / (size * size);
  let at = vec2i(vec2u(i % size, i / size % size));
  var own = keptAt(i);
  let around = keptAt(cubeTexel(face, at - vec2i(1, 0), size)) + keptAt(cubeTexel(face, at + vec2i(1, 0), size))
    + keptAt(cubeTexel(face, at - vec2i(0, 1), size)) + keptAt(cubeTexel(face, at + vec2i(0, 1), size));
  own += (around * 0.25 - own) * params.smoothShare;
  own += (vec3f(dot(own, vec3f(1.0 / 3.0))) - own) * params.neutral;
  parameters[i * 3u] = own.r;
  parameters[i * 3u + 1u] = own.g;
  parameters[i * 3u + 2u] = own.b;
}
