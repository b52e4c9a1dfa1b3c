// Gathers the colours that all views of a set show of each surface point. Colours are square roots of linear light:
// close to perceptual, so that highlights weigh less, and cheap.

// #include "views.wgsl"

@group(0) @binding(3) var colors : texture_2d_array<f32>;
@group(0) @binding(4) var trilinear : sampler;
@group(0) @binding(5) var<storage, read> points : array<Point>;
// Sums of weight · colour and of weight, from the sets before; `collect`: see there.
@group(0) @binding(6) var<storage, read_write> sums : array<vec4f>;
// Sum of weights before dark colours were preferred, and number of views.
@group(0) @binding(7) var<storage, read_write> support : array<vec2f>;

struct Sample {
  color : vec3f,
  weight : f32,
  cosine : f32,
};

fn look(k : u32, p : vec3f, n : vec3f) -> Sample {
  let o = observe(k, p, n);
  if (o.cosine == 0.0) {
    return Sample(vec3f(0.0), 0.0, 0.0);
  }
  let level = max(log2(gather.texel / o.footprint), 0.0);
  let c = textureSampleLevel(colors, trilinear, o.pixel * views[k].size.zw, k, level);
  let quality = pow(o.cosine, gather.anglePower) * pow(gather.footprint / o.footprint, gather.resolutionPower);
  return Sample(sqrt(c.rgb) * views[k].gain.rgb, quality * c.a * c.a, o.cosine);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= gather.count || points[i].normal == NOWHERE) {
    return;
  }
  let p = points[i].position;
  let n = unpackNormal(points[i].normal);
  var sum = sums[i];
  var total = support[i];
  for (var k = 0u; k < gather.views; k++) {
    let s = look(k, p, n);
    if (s.weight > 0.0) {
      let preference = exp(-gather.highlights * dot(s.color, vec3f(1.0 / 3.0))) * pow(s.cosine, gather.facing);
      sum += vec4f(s.color, 1.0) * (s.weight * preference);
      total += vec2f(s.weight, 1.0);
    }
  }
  sums[i] = sum;
  support[i] = total;
}

// Writes each view's colour and weight: view k of point i at i · views + k.
@compute @workgroup_size(64)
fn collect(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= gather.count) {
    return;
  }
  let n = unpackNormal(points[i].normal);
  for (var k = 0u; k < gather.views; k++) {
    let s = look(k, points[i].position, n);
    sums[i * gather.views + k] = vec4f(s.color, s.weight);
  }
}
