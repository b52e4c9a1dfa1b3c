// One round of simultaneous reconstruction: each texel moves by the weighted mean of the differences that all views
// show at its point. `gatherDifferences` adds up one set of views, `apply` moves the texels.

// #include "../views/views.wgsl"

@group(0) @binding(3) var<storage, read> residuals : array<u32>;
@group(0) @binding(4) var<storage, read> points : array<Point>;
@group(0) @binding(5) var<storage, read_write> sums : array<vec4f>;

// Difference in rgb and validity at a pixel of a view.
fn difference(at : u32) -> vec4f {
  let r = residuals[at];
  if (r == 0u) {
    return vec4f(0.0);
  }
  return vec4f(vec3f(vec3i(vec3u(r, r >> 10u, r >> 20u) & vec3u(1023u)) - 512) / 1022.0, 1.0);
}

@compute @workgroup_size(64)
fn gatherDifferences(
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
  for (var k = 0u; k < gather.views; k++) {
    let o = observe(k, p, n);
    if (o.cosine == 0.0) {
      continue;
    }
    let corner = floor(o.pixel - 0.5);
    let f = o.pixel - 0.5 - corner;
    let at = k * gather.layer + u32(corner.y) * gather.pitch + u32(corner.x);
    let r = mix(
      mix(difference(at), difference(at + 1u), f.x),
      mix(difference(at + gather.pitch), difference(at + gather.pitch + 1u), f.x),
      f.y);
    // Share of the pixel that a texel fills.
    let scale = gather.footprint / o.footprint;
    sum += r * (o.cosine * scale * scale);
  }
  sums[i] = sum;
}

@group(0) @binding(6) var<storage, read_write> texels : array<vec2u>;

@compute @workgroup_size(64)
fn apply(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= gather.count) {
    return;
  }
  let sum = sums[i];
  sums[i] = vec4f(0.0);
  let rg = unpack2x16float(texels[i].x);
  let ba = unpack2x16float(texels[i].y);
  if (sum.w <= 0.0 || ba.y == 0.0) {
    return;
  }
  let root = sqrt(max(vec3f(rg, ba.x), vec3f(0.0))) + gather.strength * sum.rgb / sum.w;
  let c = clamp(root, vec3f(0.0), vec3f(1.0));
  texels[i] = vec2u(pack2x16float(c.rg * c.rg), pack2x16float(vec2f(c.b * c.b, 1.0)));
}
