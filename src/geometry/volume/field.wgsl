// The signed distance at the 9×9×9 samples of each brick (the last layer is shared with the neighbours, which compute
// the same numbers). One workgroup per brick. `carve` finds the greatest claim, `average` the mean of the depth claims
// near it, `finish` joins both; `finish_guided` does so within a band around a coarse surface.
// #include "observation.wgsl"

@group(0) @binding(2) var<storage, read> bricks: array<vec4u>; // x | y << 10 | z << 20
@group(0) @binding(3) var<storage, read> relevant: array<u32>;
@group(0) @binding(4) var<storage, read_write> greatest: array<vec2f>; // hard, soft
// Σ weight·distance, Σ weight, greatest claim of a seen surface; with a consensus the number of claims near.
@group(0) @binding(5) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(6) var<uniform> grid: Grid;
@group(0) @binding(7) var<storage, read> guide: array<f32>; // −1…1, negative inside

const SAMPLES = 729u;
const GUIDE_BAND = 1.5; // in voxels of the guide
const FULL_EVIDENCE = 3.0; // maps

// Which of the greatest claims counts, and how many lie near, decide together: `withClaim` keeps the first four. While
// they are being found, `greatest` has the first and `sums` the others and the number of claims near.
fn consented(four: vec4f, near: f32) -> f32 {
  return four[min(3u, u32(near * grid.consensus))];
}

fn brickAt(word: u32) -> vec3u { return vec3u(word & 1023u, (word >> 10u) & 1023u, word >> 20u); }

fn brickNumber(b: vec3u) -> u32 { return (b.z * grid.bricks.y + b.y) * grid.bricks.x + b.x; }

fn samplePosition(b: vec3u, sample: u32) -> vec3f {
  let s = vec3u(sample % 9u, (sample / 9u) % 9u, sample / 81u);
  return grid.origin + vec3f(b * 8u + s) * grid.voxel;
}

@compute @workgroup_size(64)
fn carve(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= grid.count) { return; }
  let slot = grid.first + item;
  let b = brickAt(bricks[slot].x);
  let words = brickNumber(b) * grid.relevantStride + grid.relevantOffset;
  for (var sample = local; sample < SAMPLES; sample += 64u) {
    let p = samplePosition(b, sample);
    let at = slot * SAMPLES + sample;
    var hard: f32;
    var soft: f32;
    var surface: f32;
    var four = vec4f(SILENT);
    var near = 0.0;
    if (grid.relevantOffset == 0u) {
      hard = boundsDistance(grid, p);
      soft = SILENT;
      surface = hard;
    } else if (grid.consensus > 0.0) {
      hard = greatest[at].x;
      four = vec4f(greatest[at].y, sums[at].xyz);
      near = sums[at].w;
    } else {
      hard = greatest[at].x;
      soft = greatest[at].y;
      surface = sums[at].z;
    }
    for (var w = 0u; w * 32u < grid.observationCount; w++) {
      var bits = relevant[words + w];
      while (bits != 0u) {
        let i = w * 32u + firstTrailingBit(bits);
        bits &= bits - 1u;
        if (observations[i].kind == KIND_MASK) {
          let distance = maskDistance(i, p);
          hard = max(hard, distance);
          surface = max(surface, distance);
        } else {
          let claim = depthClaim(i, p);
          if (grid.consensus > 0.0) {
            if (claim.distance <= SILENT) { continue; }
            let distance = claim.distance - select(claim.doubt, 0.0, claim.wall);
            four = withClaim(four, distance);
            if (claim.distance > -grid.reach) { near += 1.0; }
            continue;
          }
          surface = max(surface, claim.surface);
          if (claim.wall) { hard = max(hard, claim.distance); } else { soft = max(soft, claim.distance - claim.doubt); }
        }
      }
    }
    if (grid.consensus > 0.0) {
      greatest[at] = vec2f(hard, four.x);
      sums[at] = vec4f(four.yzw, near);
    } else {
      greatest[at] = vec2f(hard, soft);
      sums[at] = vec4f(0.0, 0.0, surface, 0.0);
    }
  }
}

@compute @workgroup_size(64)
fn average(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= grid.count) { return; }
  let slot = grid.first + item;
  let b = brickAt(bricks[slot].x);
  let words = brickNumber(b) * grid.relevantStride + grid.relevantOffset;
  for (var sample = local; sample < SAMPLES; sample += 64u) {
    let p = samplePosition(b, sample);
    let at = slot * SAMPLES + sample;
    var soft = greatest[at].y;
    var sum = sums[at].xy;
    if (grid.consensus > 0.0 && grid.relevantOffset == 0u) {
      let near = sums[at].w;
      soft = consented(vec4f(soft, sums[at].xyz), near);
      greatest[at].y = soft;
      sum = vec2f(0.0);
      sums[at] = vec4f(0.0, 0.0, 0.0, near);
    }
    if (abs(soft) < grid.truncation) {
      for (var w = 0u; w * 32u < grid.observationCount; w++) {
        var bits = relevant[words + w];
        while (bits != 0u) {
          let i = w * 32u + firstTrailingBit(bits);
          bits &= bits - 1u;
          if (observations[i].kind == KIND_MASK) { continue; }
          let claim = depthClaim(i, p);
          if (claim.wall || claim.distance < soft - grid.tolerance) { continue; }
          if (grid.consensus > 0.0 && claim.distance > soft + grid.tolerance) { continue; }
          // Fades to nothing at the tolerance, so that the field has no steps.
          let off = soft - claim.distance;
          let weight = claim.weight * min(1.0, 1.0 - select(off, abs(off), grid.consensus > 0.0) / grid.tolerance);
          sum += vec2f(weight * claim.distance, weight);
        }
      }
    }
    sums[at] = vec4f(sum, sums[at].zw);
  }
}

// Outlines are exact to a fraction of a pixel only: where depth puts the surface as near as that, depth decides.
fn join(hard: f32, soft: f32) -> f32 {
  let near = 0.75 * grid.voxel;
  let excess = hard - soft;
  return select(soft + excess * smoothstep(0.0, near, excess), hard, excess >= near);
}

@compute @workgroup_size(64)
fn finish(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= grid.count) { return; }
  let slot = grid.first + item;
  let b = brickAt(bricks[slot].x);
  for (var sample = local; sample < SAMPLES; sample += 64u) {
    let at = slot * SAMPLES + sample;
    let hard = greatest[at].x;
    var soft = greatest[at].y;
    let sum = sums[at];
    if (sum.y > 0.0) { soft = sum.x / sum.y; }
    // In a vessel, what lies deeper than the wall's thickness behind all surfaces, and above the floor, is empty.
    let aboveFloor = grid.floorPlane.w - dot(grid.floorPlane.xyz, samplePosition(b, sample));
    let hollow = min(-sum.z - grid.thickness, aboveFloor);
    greatest[at].x = clamp(max(join(hard, soft), hollow), -grid.truncation, grid.truncation);
  }
}

fn guideAt(x: u32, y: u32, z: u32) -> f32 {
  return guide[(z * grid.guideSize.y + y) * grid.guideSize.x + x];
}

// Signed distance to the coarse surface, cut off at its reach.
fn guideDistance(p: vec3f) -> f32 {
  let at = clamp((p - grid.guideOrigin) / grid.guideVoxel, vec3f(0.0), vec3f(grid.guideSize - 1u));
  let a = min(vec3u(at), grid.guideSize - 2u);
  let t = at - vec3f(a);
  let b = a + 1u;
  let near = mix(mix(guideAt(a.x, a.y, a.z), guideAt(b.x, a.y, a.z), t.x),
    mix(guideAt(a.x, b.y, a.z), guideAt(b.x, b.y, a.z), t.x), t.y);
  let far = mix(mix(guideAt(a.x, a.y, b.z), guideAt(b.x, a.y, b.z), t.x),
    mix(guideAt(a.x, b.y, b.z), guideAt(b.x, b.y, b.z), t.x), t.y);
  return mix(near, far, t.z) * grid.guideReach;
}

@compute @workgroup_size(64)
fn finish_guided(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= grid.count) { return; }
  let slot = grid.first + item;
  let b = brickAt(bricks[slot].x);
  for (var sample = local; sample < SAMPLES; sample += 64u) {
    let at = slot * SAMPLES + sample;
    var soft = greatest[at].y;
    let sum = sums[at];
    if (sum.y > 0.0) { soft = sum.x / sum.y; }
    // The more maps saw the place, the farther the surface may be from the coarse one.
    let band = GUIDE_BAND * grid.guideVoxel * smoothstep(0.0, FULL_EVIDENCE, sum.w);
    let coarse = guideDistance(samplePosition(b, sample));
    soft = clamp(soft, coarse - band, coarse + band);
    greatest[at].x = clamp(join(greatest[at].x, soft), -grid.truncation, grid.truncation);
  }
}
