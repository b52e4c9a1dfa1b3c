// The second pass of marching cubes: writes vertices and triangles at the places that the counts gave. See
// marchingCubes.wgsl.

struct Extract {
  origin: vec3f,
  voxel: f32,
  bricks: vec3u,
  count: u32,
  vertexStart: u32,
  triangleStart: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> field: array<vec2f>;
@group(0) @binding(1) var<storage, read> bricks: array<vec4u>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> ranks: array<u32>;
@group(0) @binding(4) var<storage, read> slots: array<u32>; // per brick of the grid: slot + 1, 0 = none
@group(0) @binding(5) var<storage, read_write> positions: array<f32>;
@group(0) @binding(6) var<storage, read_write> indices: array<u32>; // 0xffffffff where the neighbour is missing
@group(0) @binding(7) var<uniform> extract: Extract;

const SAMPLES = 729u;
const RANKS = 576u;

fn value(slot: u32, s: vec3u) -> f32 { return field[slot * SAMPLES + (s.z * 9u + s.y) * 9u + s.x].x; }

fn edgeCorner(edge: u32) -> u32 {
  let a = edge & 1u;
  let b = (edge >> 1u) & 1u;
  switch (edge >> 2u) {
    case 0u: { return (a << 1u) | (b << 2u); }
    case 1u: { return a | (b << 2u); }
    default: { return a | (b << 1u); }
  }
}

fn vertexOf(slot: u32, brick: vec3u, cell: vec3u, edge: u32) -> u32 {
  let c = edgeCorner(edge);
  let s = cell + vec3u(c & 1u, (c >> 1u) & 1u, c >> 2u);
  let axis = edge >> 2u;
  var owner = slot;
  if (any(s == vec3u(8u))) {
    let b = brick + s / 8u;
    if (any(b >= extract.bricks)) { return 0xffffffffu; }
    let found = slots[(b.z * extract.bricks.y + b.y) * extract.bricks.x + b.x];
    if (found == 0u) { return 0xffffffffu; }
    owner = found - 1u;
  }
  let local = s % 8u;
  let entry = ranks[owner * RANKS + (local.z * 8u + local.y) * 8u + local.x];
  return bricks[owner].y + (entry >> 3u) + countOneBits(entry & ((1u << axis) - 1u));
}

@compute @workgroup_size(64)
fn emit(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) row: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= extract.count) { return; }
  let slot = extract.first + item;
  let info = bricks[slot];
  let brick = vec3u(info.x & 1023u, (info.x >> 10u) & 1023u, info.x >> 20u);
  var triangle = info.z - extract.triangleStart + ranks[slot * RANKS + 512u + row];
  for (var x = 0u; x < 8u; x++) {
    let cell = vec3u(x, row & 7u, row >> 3u);
    let entry = ranks[slot * RANKS + row * 8u + x];
    var vertex = info.y - extract.vertexStart + (entry >> 3u);
    let here = value(slot, cell);
    for (var axis = 0u; axis < 3u; axis++) {
      if ((entry & (1u << axis)) == 0u) { continue; }
      var step = vec3u(0u);
      step[axis] = 1u;
      let there = value(slot, cell + step);
      // Kept off the ends, so that no triangle shrinks to a point.
      let t = clamp(here / (here - there), 0.02, 0.98);
      let p = extract.origin + (vec3f(brick * 8u + cell) + vec3f(step) * t) * extract.voxel;
      positions[vertex * 3u] = p.x;
      positions[vertex * 3u + 1u] = p.y;
      positions[vertex * 3u + 2u] = p.z;
      vertex++;
    }

    var config = 0u;
    for (var c = 0u; c < 8u; c++) {
      config |= select(0u, 1u << c, value(slot, cell + vec3u(c & 1u, (c >> 1u) & 1u, c >> 2u)) < 0.0);
    }
    for (var t = table[config]; t < table[config + 1u]; t++) {
      for (var k = 0u; k < 3u; k++) {
        indices[triangle * 3u + k] = vertexOf(slot, brick, cell, table[257u + t * 3u + k]);
      }
      triangle++;
    }
  }
}
