// Marching cubes over bricks of 8×8×8 cells with 9×9×9 samples. A vertex belongs to the cell edge it lies on, an edge
// to the brick that holds its lower sample, so vertices are shared within and between bricks. One workgroup per brick,
// one thread per row of 8 cells.

struct Extract {
  origin: vec3f,
  voxel: f32,
  bricks: vec3u,
  count: u32,
  vertexStart: u32, // first vertex and triangle of this page
  triangleStart: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> field: array<vec2f>; // x: signed distance
@group(0) @binding(1) var<storage, read> bricks: array<vec4u>; // x | y << 10 | z << 20, first vertex, first triangle
@group(0) @binding(2) var<storage, read> table: array<u32>; // 257 starts, then edges
// Per brick: for 512 samples rank << 3 | crossing edges (x, y, z); then for 64 rows the rank of the first triangle.
@group(0) @binding(3) var<storage, read_write> ranks: array<u32>;
@group(0) @binding(4) var<storage, read_write> counts: array<vec2u>; // vertices, triangles per brick
@group(0) @binding(5) var<uniform> extract: Extract;

const SAMPLES = 729u;
const RANKS = 576u;

var<workgroup> rowCounts: array<vec2u, 64>;

fn value(slot: u32, s: vec3u) -> f32 { return field[slot * SAMPLES + (s.z * 9u + s.y) * 9u + s.x].x; }

fn cellCase(slot: u32, s: vec3u) -> u32 {
  var config = 0u;
  for (var c = 0u; c < 8u; c++) {
    let corner = s + vec3u(c & 1u, (c >> 1u) & 1u, c >> 2u);
    config |= select(0u, 1u << c, value(slot, corner) < 0.0);
  }
  return config;
}

@compute @workgroup_size(64)
fn count(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) row: u32,
) {
  let item = group.y * groups.x + group.x;
  if (item >= extract.count) { return; }
  let slot = extract.first + item;
  let y = row & 7u;
  let z = row >> 3u;
  var found = vec2u(0u);
  for (var x = 0u; x < 8u; x++) {
    let config = cellCase(slot, vec3u(x, y, z));
    let inside = config & 1u;
    let mask = (((config >> 1u) & 1u) ^ inside) | ((((config >> 2u) & 1u) ^ inside) << 1u)
      | ((((config >> 4u) & 1u) ^ inside) << 2u);
    ranks[slot * RANKS + row * 8u + x] = (found.x << 3u) | mask;
    found += vec2u(countOneBits(mask), table[config + 1u] - table[config]);
  }
  rowCounts[row] = found;
  workgroupBarrier();
  var before = vec2u(0u);
  for (var r = 0u; r < row; r++) { before += rowCounts[r]; }
  for (var x = 0u; x < 8u; x++) { ranks[slot * RANKS + row * 8u + x] += before.x << 3u; }
  ranks[slot * RANKS + 512u + row] = before.y;
  if (row == 63u) { counts[slot] = before + found; }
}
