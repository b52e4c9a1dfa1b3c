// Pulls the light's logarithms of radiance towards grey, without changing their mean.

struct Params {
  texels : u32,
  share : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> parameters : array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) local : u32) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.texels) {
    return;
  }
  let at = i * 3u;
  let mean = (parameters[at] + parameters[at + 1u] + parameters[at + 2u]) / 3.0;
  for (var c = 0u; c < 3u; c++) {
    parameters[at + c] += (mean - parameters[at + c]) * params.share;
  }
}
