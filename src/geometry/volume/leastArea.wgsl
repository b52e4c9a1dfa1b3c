// The surface of least area that agrees with what depth maps and outlines say, as the zero level of u on a grid:
//
//     minimise  Σ huber(∇u) + weight·|u − value|,   u in −1…1
//
// by the primal-dual method (Chambolle & Pock 2011). `gather` takes values and weights from a page of bricks.

struct Volume {
  size: vec3u, // samples of the grid
  count: u32, // bricks in this dispatch
  reach: f32, // distance of value 1
}

@group(0) @binding(0) var<storage, read> bricks: array<vec4u>; // x | y << 10 | z << 20
@group(0) @binding(1) var<storage, read> field: array<vec2f>; // signed distance at 9×9×9 samples of each brick
@group(0) @binding(2) var<storage, read> sums: array<vec4f>; // w: maps that saw the place
@group(0) @binding(3) var<storage, read_write> data: array<vec2f>; // value, weight
@group(0) @binding(4) var<storage, read_write> state: array<vec2f>; // u, extrapolated
@group(0) @binding(5) var<storage, read_write> dual: array<vec4f>;
@group(0) @binding(6) var<uniform> volume: Volume;

const SAMPLES = 729u;
const OUTLINES = 8.0; // weight of what outlines show to be free
const SEEN = 2.0; // weight of what as many maps as `FULL_EVIDENCE` saw
const FULL_EVIDENCE = 3.0;
const HIDDEN = 0.02; // weight of what none saw: solid, unless that makes a larger surface
const HUBER = 0.5; // gradients below are smoothed, not kept: the slope of a distance, or half a jump
const STEP_PRIMAL = 0.4;
const STEP_DUAL = 0.2; // their product times 12 is below 1

fn cornerOf(word: u32) -> vec3u { return vec3u(word & 1023u, (word >> 10u) & 1023u, word >> 20u) * 8u; }

fn indexOf(at: vec3u) -> u32 { return (at.z * volume.size.y + at.y) * volume.size.x + at.x; }

@compute @workgroup_size(64)
fn gather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= volume.count) { return; }
  let corner = cornerOf(bricks[item].x);
  for (var k = local; k < 512u; k += 64u) {
    let offset = vec3u(k % 8u, (k / 8u) % 8u, k / 64u);
    let at = item * SAMPLES + (offset.z * 9u + offset.y) * 9u + offset.x;
    let value = clamp(field[at].x / volume.reach, -1.0, 1.0);
    let seen = sums[at].w;
    let unseen = select(HIDDEN, OUTLINES, value > 0.0);
    let index = indexOf(corner + offset);
    data[index] = vec2f(value, select(unseen, SEEN * min(1.0, seen / FULL_EVIDENCE), seen > 0.0));
    state[index] = vec2f(value);
  }
}

// The samples of a brick, one workgroup to a brick. What no brick covers is free and stays so.
struct Sample { inside: bool, at: vec3u, index: u32 }

fn sampleOf(group: vec3u, groups: vec3u, k: u32) -> Sample {
  let brick = group.y * groups.x + group.x;
  if (brick >= volume.count) { return Sample(false, vec3u(0u), 0u); }
  let at = cornerOf(bricks[brick].x) + vec3u(k % 8u, (k / 8u) % 8u, k / 64u);
  return Sample(true, at, indexOf(at));
}

@compute @workgroup_size(64)
fn ascend(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let last = volume.size - 1u;
  for (var k = local; k < 512u; k += 64u) {
    let s = sampleOf(group, groups, k);
    if (!s.inside) { return; }
    let here = state[s.index].y;
    let right = state[s.index + select(0u, 1u, s.at.x < last.x)].y;
    let above = state[s.index + select(0u, volume.size.x, s.at.y < last.y)].y;
    let behind = state[s.index + select(0u, volume.size.x * volume.size.y, s.at.z < last.z)].y;
    let slope = vec3f(right, above, behind) - here;
    let p = (dual[s.index].xyz + STEP_DUAL * slope) / (1.0 + STEP_DUAL * HUBER);
    dual[s.index] = vec4f(p / max(1.0, length(p)), 0.0);
  }
}

@compute @workgroup_size(64)
fn descend(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = volume.size.x;
  let layer = row * volume.size.y;
  for (var k = local; k < 512u; k += 64u) {
    let s = sampleOf(group, groups, k);
    if (!s.inside) { return; }
    let p = dual[s.index].xyz;
    let left = select(0.0, dual[max(s.index, 1u) - 1u].x, s.at.x > 0u);
    let below = select(0.0, dual[max(s.index, row) - row].y, s.at.y > 0u);
    let before = select(0.0, dual[max(s.index, layer) - layer].z, s.at.z > 0u);
    let divergence = p.x + p.y + p.z - left - below - before;
    let u = state[s.index].x;
    let known = data[s.index];
    let off = u + STEP_PRIMAL * divergence - known.x;
    let most = STEP_PRIMAL * known.y;
    let next = clamp(known.x + off - clamp(off, -most, most), -1.0, 1.0);
    state[s.index] = vec2f(next, 2.0 * next - u);
  }
}
