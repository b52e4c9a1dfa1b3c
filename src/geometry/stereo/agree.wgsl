// How many sources agree with each depth, and how exact it is. One thread per pixel.
// #include "stereo.wgsl"
// #include "sourceMaps.wgsl"

@group(0) @binding(6) var<storage, read> planes: array<vec4f>; // per pixel of the picture; w = 0: none
@group(0) @binding(7) var<storage, read_write> agreed: array<vec4f>; // per entry: depth, accuracy, sources, error in pixels

// Agreement: at most this many pixels, this share of the depth, and this cosine between the normals (10 degrees).
const MOST_PIXELS = 1.0;
const MOST_DEPTH = 0.01;
const HIDDEN_DEPTH = 0.05;
const LEAST_COSINE = 0.98480775;
// Error of a match in pixels at the best, and what each pixel of disagreement adds.
const MATCH_ERROR = 0.1;
const DISAGREEMENT_SHARE = 0.5;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) { return; }
  let entry = params.first + id.x;
  let pixel = pixels[entry];
  let x = pixel & 0xffffu;
  let y = pixel >> 16u;
  let plane = planes[y * params.size.x + x];
  agreed[entry] = vec4f(0.0);
  if (plane.w <= 0.0) { return; }
  let centre = vec2f(f32(x), f32(y)) + 0.5;
  let ray = rayOf(centre.x, centre.y);
  var count = 0u;
  var against = 0u;
  var errors = 0.0;
  var evidence = 0.0;
  var depths = vec2f(0.0);
  for (var s = 0u; s < params.sources; s++) {
    let seen = lookUp(s, ray, plane.w);
    if (seen.depth <= 0.0) { continue; }
    // What lies a little before or behind, or is seen through this place, contradicts it; what is far before hides it.
    let farther = seen.back.z / plane.w - 1.0;
    if (abs(farther) > MOST_DEPTH && farther > -HIDDEN_DEPTH) { against++; }
    let error = distance(seen.back.xy, centre);
    if (error > MOST_PIXELS || abs(seen.back.z - plane.w) > MOST_DEPTH * plane.w) { continue; }
    let normal = sources[s].turnX.xyz * plane.x + sources[s].turnY.xyz * plane.y + sources[s].turnZ.xyz * plane.z;
    if (dot(normal, seen.normal) < LEAST_COSINE) { continue; }
    count++;
    errors += error * error;
    // Pixels by which the place in the source moves per unit of depth.
    let turned = sources[s].x.xyz * ray.x + sources[s].y.xyz * ray.y + sources[s].z.xyz;
    let depthThere = turned.z * plane.w + sources[s].shift.z;
    let motion = (turned.xy - seen.at * turned.z) / depthThere;
    let weight = dot(motion, motion);
    evidence += weight;
    depths += vec2f(seen.back.z, 1.0) * weight;
  }
  if (count <= against || evidence <= 0.0) { return; }
  let error = sqrt(errors / f32(count));
  let depth = mix(plane.w, depths.x / depths.y, f32(count) / f32(count + 1u));
  agreed[entry] = vec4f(depth, (MATCH_ERROR + DISAGREEMENT_SHARE * error) / sqrt(evidence / f32(count)), f32(count), error);
}
