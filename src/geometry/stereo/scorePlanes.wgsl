// How well given planes fit each source: one thread per pixel.
// #include "stereo.wgsl"

@group(0) @binding(5) var<storage, read> planes: array<vec4f>; // per entry of `pixels`
@group(0) @binding(6) var<storage, read_write> scores: array<f32>; // per entry and source

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) { return; }
  let entry = params.first + id.x;
  let x = pixels[entry] & 0xffffu;
  let y = pixels[entry] >> 16u;
  let ray = rayOf(f32(x) + 0.5, f32(y) + 0.5);
  let m = inversePlane(planes[entry], ray);
  let textured = readWindow(x, y);
  for (var s = 0u; s < params.sources; s++) {
    var cost = WORST;
    if (textured) { cost = matchCost(s, m, ray); }
    scores[entry * params.sources + s] = cost;
  }
}
