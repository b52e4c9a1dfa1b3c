// Joins what views show with the colours behind it into the texels of a page: linear light, four halves each, alpha 1
// where there is a colour.

struct Params {
  count : u32,
  width : u32,
  // Sum of weights from which a texel counts as fully seen.
  enough : f32,
  // Texels around the page in `behind`, and around a chart that take a colour of it.
  apron : u32,
  ring : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> sums : array<vec4f>;
@group(0) @binding(2) var<storage, read> support : array<vec2f>;
// Colour where nothing is seen, and where views share no detail; alpha: (1 + trust in the views' detail) / 2 in charts,
// 0 elsewhere.
@group(0) @binding(3) var behind : texture_2d<f32>;
// In: 1 inside a chart. Out: 0 none, 1 ring around a chart, 2 in-painted, 3 seen.
@group(0) @binding(4) var<storage, read_write> states : array<u32>;
@group(0) @binding(5) var<storage, read_write> texels : array<vec2u>;

fn nearestBehind(texel : vec2i, inside : bool) -> vec4f {
  let here = texel + i32(params.apron);
  if (inside) {
    return textureLoad(behind, here, 0);
  }
  let r = i32(params.ring);
  var nearest = 1000000;
  var found = vec4f(0.0);
  for (var y = -r; y <= r; y++) {
    for (var x = -r; x <= r; x++) {
      let d = x * x + y * y;
      let c = textureLoad(behind, here + vec2i(x, y), 0);
      if (d < nearest && c.a > 0.0) {
        nearest = d;
        found = c;
      }
    }
  }
  return found;
}

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
  let inside = states[i] == 1u;
  let other = nearestBehind(vec2i(vec2u(i % params.width, i / params.width)), inside);
  // A texel in the ring around a chart takes its point, and so its detail, from inside.
  let sureness = smoothstep(0.0, params.enough, support[i].x);
  let trust = select(1.0, other.a * 2.0 - 1.0, other.a > 0.0);
  var color = sums[i].rgb / max(sums[i].w, 1e-20);
  var state = 3u;
  if (inside) {
    color = mix(other.rgb, color, sureness * trust);
    state = select(2u, 3u, support[i].x > 0.0);
  } else {
    color = mix(other.rgb, color, trust);
    state = select(0u, 1u, sureness > 0.5);
  }
  states[i] = state;
  let linear = color * color;
  texels[i] = vec2u(pack2x16float(linear.rg), pack2x16float(vec2f(linear.b, select(0.0, 1.0, state != 0u))));
}
