// Adam (Kingma & Ba 2015) on what the surface touches: samples that are corners of cut cells, and the weights of these
// cells. What no gradient reached keeps its value and memory.

struct Params {
  samples : u32,
  vertices : u32,
  beta1 : f32,
  beta2 : f32,
  epsilon : f32,
  // First steps: field (voxels), deformation (voxels), colour, weights (exponents).
  field : f32,
  deformation : f32,
  color : f32,
  weight : f32,
  maximumField : f32,
  maximumDeformation : f32,
  maximumWeight : f32,
};

@group(0) @binding(0) var<uniform> params : Params;

// stepSamples
@group(0) @binding(1) var<storage, read> sampleGradients : array<vec4f>;
@group(0) @binding(2) var<storage, read_write> samples : array<vec4f>;
@group(0) @binding(3) var<storage, read_write> sampleMoments : array<vec4f>;

// stepWeights
@group(0) @binding(1) var<storage, read> weightGradients : array<f32>;
@group(0) @binding(2) var<storage, read_write> weights : array<f32>;
@group(0) @binding(3) var<storage, read_write> weightMoments : array<vec2f>;
@group(0) @binding(4) var<storage, read> entries : array<u32>;
@group(0) @binding(5) var<storage, read> offsets : array<u32>;

const ACTIVE : u32 = 512u;
const CELL_WEIGHTS : u32 = 21u;

fn itemAt(group : vec3u, groups : vec3u, local : u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

fn advance(at : u32, g : vec4f) -> vec4f {
  let m = mix(g, sampleMoments[at * 2u], params.beta1);
  let v = mix(g * g, sampleMoments[at * 2u + 1u], params.beta2);
  sampleMoments[at * 2u] = m;
  sampleMoments[at * 2u + 1u] = v;
  return m / (sqrt(v) + params.epsilon);
}

@compute @workgroup_size(64)
fn stepSamples(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  let gColor = sampleGradients[item * 2u + 1u];
  if (gColor.w == 0.0) {
    return;
  }
  if (gColor.w == 1.0) {
    let d = samples[item * 2u];
    let step = advance(item * 2u, sampleGradients[item * 2u]);
    samples[item * 2u] = vec4f(
      clamp(d.x - step.x * params.field, -params.maximumField, params.maximumField),
      clamp(d.yzw - step.yzw * params.deformation, vec3f(-params.maximumDeformation), vec3f(params.maximumDeformation)),
    );
  }
  let step = advance(item * 2u + 1u, vec4f(gColor.rgb, 0.0));
  let c = samples[item * 2u + 1u];
  samples[item * 2u + 1u] = vec4f(max(c.rgb - step.rgb * params.color, vec3f(0.0)), c.w);
}

@compute @workgroup_size(64)
fn stepWeights(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples || (entries[item] & ACTIVE) == 0u || offsets[item] >= params.vertices) {
    return;
  }
  for (var k = 0u; k < CELL_WEIGHTS; k++) {
    let g = weightGradients[offsets[item] * CELL_WEIGHTS + k];
    let at = item * CELL_WEIGHTS + k;
    let m = mix(vec2f(g, g * g), weightMoments[at], vec2f(params.beta1, params.beta2));
    weightMoments[at] = m;
    weights[at] = clamp(weights[at] - params.weight * m.x / (sqrt(m.y) + params.epsilon), -params.maximumWeight,
      params.maximumWeight);
  }
}
