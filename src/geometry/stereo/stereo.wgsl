// What all kernels of the stereo share: the reference picture, its sources, and how well a plane fits them.
// A hypothesis is a plane through the pixel's ray: a unit normal that faces the camera, and a depth. Camera axes are
// x right, y down, z forward; a ray is (x, y, 1), so that a depth times a ray is a point.

struct Source {
  // From rays of the reference times depth to homogeneous pixels of the source: columns, then the shift.
  x: vec4f,
  y: vec4f,
  z: vec4f,
  shift: vec4f,
  // And back: from rays of the source times depth to homogeneous pixels of the reference.
  backX: vec4f,
  backY: vec4f,
  backZ: vec4f,
  backShift: vec4f,
  // Turns directions of the reference into those of the source: columns.
  turnX: vec4f,
  turnY: vec4f,
  turnZ: vec4f,
  intrinsics: vec4f, // fx fy cx cy
  size: vec2f, // of the picture, pixels
  mapOffset: u32, // first pixel of its depth map in `sourceMaps`
  padding: u32,
}

struct Params {
  intrinsics: vec4f, // of the reference: fx fy cx cy
  size: vec2u, // of the reference
  first: u32, // first entry of `pixels` in this dispatch
  count: u32,
  sources: u32,
  side: u32, // samples along each side of the window
  step: f32, // pixels between two samples
  nearest: f32, // least and greatest depth
  farthest: f32,
  seed: u32,
  round: u32, // of all rounds of this picture
  reach: f32, // share of the depth by which refinement moves at most
  consistency: f32, // cost of a pixel of disagreement with the sources' depths; 0 = there are none
  hypotheses: u32, // tried in refinement, or at the start
  texel: vec2f, // one over the size of `pictures`
}

const MOST_SAMPLES = 36u;
const MOST_SOURCES = 8u;
// Costs are 1 − correlation, 0…2; this where a view says nothing or the plane leaves its mask.
const WORST = 2.0;
const OPAQUE = 0.5;
// Below this variance of brightness (0…1) a window has no texture, only noise.
const LEAST_VARIANCE = 4e-6;
// Share of the window's weight that must lie inside the source's mask.
const LEAST_SHARE = 0.5;
// Weights fall by distance in pixels and by difference of brightness.
const FALL_DISTANCE = 0.02;
const FALL_BRIGHTNESS = 14.0;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<Source>;
@group(0) @binding(2) var<storage, read> pixels: array<u32>; // y << 16 | x
// Layer 0 is the reference: brightness times alpha, alpha.
@group(0) @binding(3) var pictures: texture_2d_array<f32>;
@group(0) @binding(4) var bilinear: sampler;

var<private> windowValue: array<f32, 36>; // brightness less that of the middle
var<private> windowWeight: array<f32, 36>;
var<private> windowTotal: f32;
var<private> middle: f32;

fn rayOf(x: f32, y: f32) -> vec3f {
  return vec3f((x - params.intrinsics.z) / params.intrinsics.x, (y - params.intrinsics.w) / params.intrinsics.y, 1.0);
}

// The plane as the vector m for which m · ray is the inverse depth.
fn inversePlane(plane: vec4f, ray: vec3f) -> vec3f {
  return plane.xyz / (plane.w * dot(plane.xyz, ray));
}

// Reads the window around a pixel of the reference. False where it has no texture.
fn readWindow(x: u32, y: u32) -> bool {
  let here = textureLoad(pictures, vec2i(i32(x), i32(y)), 0, 0).xy;
  middle = here.x / max(here.y, 1e-3);
  let radius = 0.5 * f32(params.side - 1u) * params.step;
  var sums = vec3f(0.0);
  var i = 0u;
  for (var row = 0u; row < params.side; row++) {
    for (var column = 0u; column < params.side; column++) {
      let offset = vec2f(f32(column), f32(row)) * params.step - radius;
      let at = vec2i(floor(vec2f(f32(x), f32(y)) + 0.5 + offset));
      var weight = 0.0;
      var value = 0.0;
      if (all(at >= vec2i(0)) && all(at < vec2i(params.size))) {
        let texel = textureLoad(pictures, at, 0, 0).xy;
        if (texel.y > OPAQUE) {
          value = texel.x / texel.y - middle;
          weight = exp(-length(offset) * FALL_DISTANCE - abs(value) * FALL_BRIGHTNESS);
        }
      }
      windowValue[i] = value;
      windowWeight[i] = weight;
      sums += weight * vec3f(1.0, value, value * value);
      i++;
    }
  }
  windowTotal = sums.x;
  return sums.z * sums.x - sums.y * sums.y > LEAST_VARIANCE * sums.x * sums.x;
}

// 1 − bilaterally weighted normalised cross correlation of the window and what source `s` shows of it on plane `m`.
fn matchCost(s: u32, m: vec3f, ray: vec3f) -> f32 {
  let shift = sources[s].shift.xyz;
  let base = sources[s].x.xyz * ray.x + sources[s].y.xyz * ray.y + sources[s].z.xyz + shift * dot(m, ray);
  if (base.z <= 0.0) { return WORST; }
  let size = sources[s].size;
  let centre = base.xy / base.z;
  if (any(centre < vec2f(0.5)) || any(centre > size - 0.5)) { return WORST; }
  if (textureSampleLevel(pictures, bilinear, centre * params.texel, s + 1u, 0.0).y < OPAQUE) { return WORST; }
  let across = (sources[s].x.xyz + shift * m.x) * (params.step / params.intrinsics.x);
  let down = (sources[s].y.xyz + shift * m.y) * (params.step / params.intrinsics.y);
  let steps = 0.5 * f32(params.side - 1u);
  var sum = 0.0;
  var sumR = 0.0;
  var sumS = 0.0;
  var sumRR = 0.0;
  var sumSS = 0.0;
  var sumRS = 0.0;
  var i = 0u;
  for (var row = 0u; row < params.side; row++) {
    var p = base + down * (f32(row) - steps) - across * steps;
    for (var column = 0u; column < params.side; column++) {
      let at = clamp(p.xy / p.z, vec2f(0.5), size - 0.5);
      let texel = textureSampleLevel(pictures, bilinear, at * params.texel, s + 1u, 0.0).xy;
      let weight = select(0.0, windowWeight[i], texel.y > OPAQUE);
      let r = windowValue[i];
      let v = texel.x / max(texel.y, OPAQUE) - middle;
      sum += weight;
      sumR += weight * r;
      sumS += weight * v;
      sumRR += weight * r * r;
      sumSS += weight * v * v;
      sumRS += weight * r * v;
      p += across;
      i++;
    }
  }
  if (sum <= LEAST_SHARE * windowTotal) { return WORST; }
  let varianceR = sumRR * sum - sumR * sumR;
  let varianceS = sumSS * sum - sumS * sumS;
  let least = LEAST_VARIANCE * sum * sum;
  if (varianceR <= least || varianceS <= least) { return WORST; }
  return clamp(1.0 - (sumRS * sum - sumR * sumS) / sqrt(varianceR * varianceS), 0.0, WORST);
}
