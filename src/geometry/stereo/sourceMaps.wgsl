// Depth maps that the sources have already: two words a pixel, the depth (0 = none) and x and y of the normal.

@group(0) @binding(5) var<storage, read> sourceMaps: array<u32>;

struct Seen {
  depth: f32, // 0: nothing
  normal: vec3f, // in the source's axes
  at: vec2f, // where the point is in the source, pixels
  back: vec3f, // what the source sees there as a point of the reference: pixels, depth
}

// What source `s` has where it sees the point at `depth` on a ray of the reference.
fn lookUp(s: u32, ray: vec3f, depth: f32) -> Seen {
  let nothing = Seen(0.0, vec3f(0.0), vec2f(0.0), vec3f(0.0));
  let p = (sources[s].x.xyz * ray.x + sources[s].y.xyz * ray.y + sources[s].z.xyz) * depth + sources[s].shift.xyz;
  if (p.z <= 0.0) { return nothing; }
  let at = p.xy / p.z;
  if (any(at < vec2f(0.0)) || any(at >= sources[s].size)) { return nothing; }
  let pixel = vec2u(at);
  let word = (sources[s].mapOffset + pixel.y * u32(sources[s].size.x) + pixel.x) * 2u;
  let found = bitcast<f32>(sourceMaps[word]);
  if (found <= 0.0) { return nothing; }
  let across = unpack2x16snorm(sourceMaps[word + 1u]);
  let normal = vec3f(across, -sqrt(max(0.0, 1.0 - dot(across, across))));
  let k = sources[s].intrinsics;
  // Depth and normal belong to the middle of the pixel; the plane tells the depth beside it.
  let middleRay = vec3f((vec2f(pixel) + 0.5 - k.zw) / k.xy, 1.0);
  let sourceRay = vec3f((at - k.zw) / k.xy, 1.0);
  let here = found * clamp(dot(normal, middleRay) / min(dot(normal, sourceRay), -1e-6), 0.9, 1.1);
  let q = (sources[s].backX.xyz * sourceRay.x + sources[s].backY.xyz * sourceRay.y + sources[s].backZ.xyz) * here
    + sources[s].backShift.xyz;
  if (q.z <= 0.0) { return nothing; }
  return Seen(found, normal, at, vec3f(q.xy / q.z, q.z));
}

// Pixels between a pixel of the reference and where its source sees it, gone there and back.
fn disagreement(s: u32, ray: vec3f, depth: f32, pixel: vec2f) -> f32 {
  let seen = lookUp(s, ray, depth);
  return select(1e9, distance(seen.back.xy, pixel), seen.depth > 0.0);
}
