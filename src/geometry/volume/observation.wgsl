// One mask or one depth map with its camera: what it says about a point in space.

struct Observation {
  row0: vec4f, // world to camera
  row1: vec4f,
  row2: vec4f,
  intrinsics: vec4f, // fx fy cx cy
  size: vec2u,
  offset: u32, // first word in `maps`
  kind: u32, // 0 mask, 1 depth
  tileOffset: u32,
  tilesX: u32,
  openBorder: u32, // mask: the object runs out of the picture
  focal: f32, // geometric mean of fx and fy
  jumpSlope: f32,
  jumpBase: f32,
  slack: f32, // depth: how far sideways things may be from where the other views have them, world units
  padding: f32,
}

const SILENT = -1e9;
const KIND_MASK = 0u;
const TILE = 8u;
const EDGE_LIMIT = 8.0;

@group(0) @binding(0) var<storage, read> observations: array<Observation>;
@group(0) @binding(1) var<storage, read> maps: array<u32>;

// Pixel coordinates and depth along the viewing axis.
fn project(i: u32, p: vec3f) -> vec3f {
  let q = vec4f(p, 1.0);
  let z = -dot(observations[i].row2, q);
  let k = observations[i].intrinsics;
  let x = dot(observations[i].row0, q) / z;
  let y = dot(observations[i].row1, q) / z;
  return vec3f(k.z + k.x * x, k.w - k.y * y, z);
}

fn maskTexels(word: u32) -> vec2f {
  // Two 16-bit signed distances in 1/256 pixel: this pixel and its right neighbour.
  return vec2f(f32(i32(word << 16u) >> 16u), f32(i32(word) >> 16u)) / 256.0;
}

// Signed distance to the outline's cone in world units, positive outside.
fn maskDistance(i: u32, p: vec3f) -> f32 {
  let uvz = project(i, p);
  if (uvz.z <= 1e-6) { return SILENT; }
  let size = vec2f(observations[i].size);
  let at = uvz.xy - 0.5;
  let inFrame = clamp(at, vec2f(0.0), size - 1.0);
  let beyond = length(at - inFrame);
  if (beyond > 0.5 && observations[i].openBorder != 0u) { return SILENT; }
  let base = min(vec2u(inFrame), observations[i].size - vec2u(2u));
  let t = inFrame - vec2f(base);
  let word = observations[i].offset + base.y * observations[i].size.x + base.x;
  let upper = maskTexels(maps[word]);
  let lower = maskTexels(maps[word + observations[i].size.x]);
  let row = mix(upper, lower, t.y);
  return (mix(row.x, row.y, t.x) + beyond) * uvz.z / observations[i].focal;
}

struct DepthClaim {
  distance: f32, // world units, positive in free space, SILENT if nothing is known
  weight: f32,
  doubt: f32, // by how much the distance may be wrong because the ray grazes the surface, world units
  surface: f32, // the distance to the surface itself, whatever edges are near
  wall: bool, // the distance is to the side of a depth edge, not to the surface itself
}

// Signed distance to the border of the space that the depth map shows to be free.
fn depthClaim(i: u32, p: vec3f) -> DepthClaim {
  let uvz = project(i, p);
  let size = observations[i].size;
  if (uvz.z <= 1e-6 || any(uvz.xy < vec2f(0.0)) || any(uvz.xy >= vec2f(size))) {
    return DepthClaim(SILENT, 0.0, 0.0, SILENT, false);
  }
  let offset = observations[i].offset;
  let pixel = offset + (u32(uvz.y) * size.x + u32(uvz.x)) * 3u;
  let nearest = bitcast<f32>(maps[pixel]);
  if (nearest <= 0.0) { return DepthClaim(SILENT, 0.0, 0.0, SILENT, false); }
  let slopeWeight = unpack2x16float(maps[pixel + 1u]);
  let edge = unpack2x16float(maps[pixel + 2u]);

  var depth = nearest;
  let at = clamp(uvz.xy - 0.5, vec2f(0.0), vec2f(size) - 1.0);
  let base = min(vec2u(at), size - vec2u(2u));
  let t = at - vec2f(base);
  let corner = offset + (base.y * size.x + base.x) * 3u;
  let stride = size.x * 3u;
  let d00 = bitcast<f32>(maps[corner]);
  let d10 = bitcast<f32>(maps[corner + 3u]);
  let d01 = bitcast<f32>(maps[corner + stride]);
  let d11 = bitcast<f32>(maps[corner + stride + 3u]);
  let least = min(min(d00, d10), min(d01, d11));
  let greatest = max(max(d00, d10), max(d01, d11));
  // Between two surfaces there is none: interpolating there would stretch a skin across the gap.
  if (least > 0.0 && greatest - least <= nearest * observations[i].jumpSlope + observations[i].jumpBase) {
    depth = mix(mix(d00, d10, t.x), mix(d01, d11, t.x), t.y);
  }

  let pixelSize = uvz.z / observations[i].focal;
  let doubt = sqrt(max(0.0, 1.0 - slopeWeight.x * slopeWeight.x)) * (pixelSize + observations[i].slack);
  let along = depth - uvz.z;
  // Behind grazed surfaces the distance says little; it must not hold up a hollow far behind them.
  let surface = along * select(slopeWeight.x, max(slopeWeight.x, 0.4), along < 0.0);
  var claim = DepthClaim(along * slopeWeight.x, slopeWeight.y, doubt, surface, false);
  if (edge.x < EDGE_LIMIT) {
    let sideways = edge.x * pixelSize;
    let behindOther = nearest + edge.y - uvz.z;
    if (edge.y < 0.0) {
      let wall = max(sideways, behindOther);
      if (wall < claim.distance) { claim = DepthClaim(wall, 0.0, 0.0, surface, true); }
    } else {
      let wall = min(-sideways, behindOther);
      if (wall > claim.distance) { claim = DepthClaim(wall, 0.0, 0.0, surface, true); }
    }
  }
  return claim;
}

struct Grid {
  origin: vec3f, // position of sample (0, 0, 0)
  voxel: f32,
  boundsMin: vec3f,
  tolerance: f32, // depth claims this close to the greatest one are averaged
  boundsMax: vec3f,
  truncation: f32,
  bricks: vec3u,
  count: u32, // bricks in this dispatch
  first: u32, // first brick of the dispatch in the list
  relevantOffset: u32,
  relevantStride: u32,
  observationCount: u32,
  thickness: f32, // of walls, where the object is hollow; else 1e9
  consensus: f32, // share of the depth claims near a point that may be wrong; 0: each one alone shows space to be free
  reach: f32, // claims count as near down to this far behind their surface
  floorPlane: vec4f, // hollow only where dot(xyz, p) < w
  guideOrigin: vec3f, // of the coarse surface that guides this one, where there is one
  guideVoxel: f32,
  guideSize: vec3u,
  guideReach: f32, // distance that a value of 1 stands for
}

// The greatest four of some numbers, in descending order.
fn withClaim(four: vec4f, claim: f32) -> vec4f {
  if (claim <= four.w) { return four; }
  if (claim <= four.z) { return vec4f(four.xyz, claim); }
  if (claim <= four.y) { return vec4f(four.xy, claim, four.z); }
  if (claim <= four.x) { return vec4f(four.x, claim, four.yz); }
  return vec4f(claim, four.xyz);
}

// Signed distance to the bounding box: what is outside it is not part of the object.
fn boundsDistance(g: Grid, p: vec3f) -> f32 {
  let q = max(g.boundsMin - p, p - g.boundsMax);
  return min(max(q.x, max(q.y, q.z)), 0.0) + length(max(q, vec3f(0.0)));
}
