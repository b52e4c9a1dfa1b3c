// One step of Adam (Kingma & Ba 2015) on each element, with bounds.

struct Params {
  count : u32,
  // Units per 1.0 of a fixed-point gradient; 0: the gradient is f32.
  scale : f32,
  learningRate : f32,
  beta1 : f32,
  beta2 : f32,
  epsilon : f32,
  // 1 / (1 − βᵗ), or 1 without bias correction.
  correction1 : f32,
  correction2 : f32,
  minimum : f32,
  maximum : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read_write> parameters : array<f32>;
@group(0) @binding(2) var<storage, read> gradient : array<u32>;
@group(0) @binding(3) var<storage, read_write> moments : array<vec2f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  var g = bitcast<f32>(gradient[i]);
  if (params.scale > 0.0) {
    g = f32(bitcast<i32>(gradient[i])) / params.scale;
  }
  let m = mix(vec2f(g, g * g), moments[i], vec2f(params.beta1, params.beta2));
  moments[i] = m;
  let step = params.learningRate * m.x * params.correction1 / (sqrt(m.y * params.correction2) + params.epsilon);
  parameters[i] = clamp(parameters[i] - step, params.minimum, params.maximum);
}
