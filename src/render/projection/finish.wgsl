// Joins seen and in-painted colours of a page into texels: linear light, four halves each, alpha 1 where there is a colour.

struct Params {
  count : u32,
  width : u32,
  // Sum of weights from which a texel counts as fully seen.
  enough : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> sums : array<vec4f>;
@group(0) @binding(2) var<storage, read> support : array<vec2f>;
@group(0) @binding(3) var inpainted : texture_2d<f32>;
// In: 1 inside a chart. Out: 0 none, 1 ring around a chart, 2 in-painted, 3 seen.
@group(0) @binding(4) var<storage, read_write> states : array<u32>;
@group(0) @binding(5) var<storage, read_write> texels : array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) local : u32) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.count) {
    return;
  }
  let sureness = smoothstep(0.0, params.enough, support[i].x);
  let inside = states[i] == 1u;
  var color = sums[i].rgb / max(sums[i].w, 1e-20);
  var state = 3u;
  if (inside) {
    let other = textureLoad(inpainted, vec2u(i % params.width, i / params.width), 0).rgb;
    color = mix(other, color, sureness);
    state = select(2u, 3u, support[i].x > 0.0);
  } else {
    state = select(0u, 1u, sureness > 0.5);
  }
  states[i] = state;
  let linear = color * color;
  texels[i] = vec2u(pack2x16float(linear.rg), pack2x16float(vec2f(linear.b, select(0.0, 1.0, state != 0u))));
}
