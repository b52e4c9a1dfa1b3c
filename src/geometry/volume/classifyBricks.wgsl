// Which bricks the surface can pass through, and which observations matter there. Interval arithmetic over a ball
// around the brick, so nothing thin is missed. One thread per brick.
// #include "observation.wgsl"

// Hard lower, upper, soft lower, 1 if all solid or all hollow.
@group(0) @binding(2) var<storage, read_write> limits: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> relevant: array<u32>;
@group(0) @binding(4) var<uniform> grid: Grid;

const SLOPE_MIN = 0.1;
const SLOPE_MAX = 1.5;

struct Interval { lower: f32, upper: f32 }

fn maskInterval(i: u32, centre: vec3f, radius: f32) -> Interval {
  let uvz = project(i, centre);
  if (uvz.z <= -radius) { return Interval(SILENT, SILENT); }
  if (uvz.z <= radius * 1.01 + 1e-5) { return Interval(SILENT, 1e9); }
  let k = observations[i].intrinsics;
  let off = (uvz.xy - k.zw) / k.xy;
  let spread = radius * max(k.x, k.y) / (uvz.z - radius) * sqrt(1.0 + dot(off, off)) * 1.02 + 0.1;
  let size = vec2f(observations[i].size);
  let at = uvz.xy - 0.5;
  let inFrame = clamp(at, vec2f(0.0), size - 1.0);
  let beyond = length(at - inFrame);
  if (observations[i].openBorder != 0u) {
    if (any(at < vec2f(-spread)) || any(at > size - 1.0 + spread)) { return Interval(SILENT, SILENT); }
  }
  let pixel = min(vec2u(inFrame + 0.5), observations[i].size - vec2u(1u));
  let word = observations[i].offset + pixel.y * observations[i].size.x + pixel.x;
  let here = maskTexels(maps[word]).x;
  // The nearest pixel's distance can differ by its offset from the exact position.
  let slack = spread + 0.75;
  var lower = here + beyond - slack;
  var upper = here + beyond + slack;
  if (observations[i].openBorder != 0u && (any(at < vec2f(spread)) || any(at > size - 1.0 - spread))) {
    lower = SILENT;
  }
  // Cut-off distances keep their sign but not their size.
  let f = observations[i].focal;
  lower = lower * select(uvz.z + radius, uvz.z - radius, lower > 0.0) / f;
  upper = upper * select(uvz.z - radius, uvz.z + radius, upper > 0.0) / f;
  return Interval(lower, upper);
}

fn depthInterval(i: u32, centre: vec3f, radius: f32) -> Interval {
  let uvz = project(i, centre);
  if (uvz.z <= -radius) { return Interval(SILENT, SILENT); }
  if (uvz.z <= radius * 1.01 + 1e-5) { return Interval(SILENT, 1e9); }
  let k = observations[i].intrinsics;
  let off = (uvz.xy - k.zw) / k.xy;
  let spread = radius * max(k.x, k.y) / (uvz.z - radius) * sqrt(1.0 + dot(off, off)) * 1.02 + 1.1 + EDGE_LIMIT;
  let size = vec2f(observations[i].size);
  if (any(uvz.xy + spread < vec2f(0.0)) || any(uvz.xy - spread > size)) { return Interval(SILENT, SILENT); }
  let inside = all(uvz.xy - spread >= vec2f(0.0)) && all(uvz.xy + spread < size);
  let lowTile = vec2u(clamp(uvz.xy - spread, vec2f(0.0), size - 1.0)) / TILE;
  let highTile = vec2u(clamp(uvz.xy + spread, vec2f(0.0), size - 1.0)) / TILE;
  var least = select(0.0, 1e9, inside);
  var greatest = 0.0;
  for (var y = lowTile.y; y <= highTile.y; y++) {
    for (var x = lowTile.x; x <= highTile.x; x++) {
      let tile = observations[i].tileOffset + (y * observations[i].tilesX + x) * 2u;
      least = min(least, bitcast<f32>(maps[tile]));
      greatest = max(greatest, bitcast<f32>(maps[tile + 1u]));
    }
  }
  if (greatest == 0.0) { return Interval(SILENT, SILENT); }
  var lower = SILENT;
  if (least > 0.0) {
    lower = least - (uvz.z + radius);
    lower = lower * select(SLOPE_MAX, SLOPE_MIN, lower > 0.0);
    lower -= (uvz.z + radius) / observations[i].focal + observations[i].slack;
  }
  var upper = greatest - (uvz.z - radius);
  upper = upper * select(SLOPE_MIN, SLOPE_MAX, upper > 0.0);
  return Interval(lower, upper);
}

fn interval(i: u32, centre: vec3f, radius: f32) -> Interval {
  if (observations[i].kind == KIND_MASK) { return maskInterval(i, centre, radius); }
  return depthInterval(i, centre, radius);
}

fn brickCentre(brick: u32) -> vec3f {
  let b = vec3u(brick % grid.bricks.x, (brick / grid.bricks.x) % grid.bricks.y, brick / (grid.bricks.x
    * grid.bricks.y));
  return grid.origin + (vec3f(b) * 8.0 + 4.0) * grid.voxel;
}

fn brickRadius() -> f32 { return grid.voxel * (4.0 * 1.7320508 + 0.01); }

@compute @workgroup_size(64)
fn bound(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = (group.y * groups.x + group.x) * 64u + local;
  if (item >= grid.count) { return; }
  let brick = grid.first + item;
  let centre = brickCentre(brick);
  let radius = brickRadius();
  var limit = limits[brick];
  if (grid.relevantOffset == 0u) {
    let box = boundsDistance(grid, centre);
    limit = vec4f(box - radius, box + radius, SILENT, 0.0);
  }
  // With a consensus, no point is free before the fourth greatest claim says so.
  var four = vec4f(SILENT);
  for (var i = 0u; i < grid.observationCount; i++) {
    let range = interval(i, centre, radius);
    limit.y = max(limit.y, range.upper);
    if (observations[i].kind == KIND_MASK) {
      limit.x = max(limit.x, range.lower);
    } else if (grid.consensus > 0.0) {
      four = withClaim(four, range.lower);
      limit.z = max(limit.z, four.w);
    } else {
      limit.z = max(limit.z, range.lower);
    }
    if (limit.x > 0.0 || limit.z > grid.tolerance) { break; }
  }
  limits[brick] = limit;
}

@compute @workgroup_size(64)
fn select_relevant(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = (group.y * groups.x + group.x) * 64u + local;
  if (item >= grid.count) { return; }
  let brick = grid.first + item;
  let limit = limits[brick];
  let level = dot(grid.floorPlane.xyz, brickCentre(brick)) - grid.floorPlane.w;
  let hollow = limit.y < -grid.thickness && level < -brickRadius();
  let solid = limit.y < 0.0 && (max(limit.x, limit.z) > -grid.thickness || level > brickRadius());
  if (hollow || solid) { limits[brick].w = 1.0; }
  // With a consensus a coarse surface decides which bricks are computed.
  if (limit.x > 0.0) { return; }
  if (grid.consensus == 0.0 && (limit.z > grid.tolerance || hollow || solid)) { return; }
  let centre = brickCentre(brick);
  let radius = brickRadius();
  let softFloor = select(limit.z - grid.tolerance, -grid.reach, grid.consensus > 0.0);
  let hardFloor = max(limit.x, softFloor);
  var bits = 0u;
  for (var i = 0u; i < grid.observationCount; i++) {
    let upper = interval(i, centre, radius).upper;
    let needed = select(softFloor, hardFloor, observations[i].kind == KIND_MASK);
    if (upper > SILENT && upper >= needed) { bits |= 1u << (i % 32u); }
    if (i % 32u == 31u || i + 1u == grid.observationCount) {
      relevant[brick * grid.relevantStride + grid.relevantOffset + i / 32u] = bits;
      bits = 0u;
    }
  }
}
