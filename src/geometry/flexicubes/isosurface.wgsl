// What all kernels of the isosurface share: bricks of 4×4×4 samples, each with the cell of which it is the lowest
// corner.

struct Params {
  origin : vec3f,
  voxel : f32,
  // Samples of all slots.
  samples : u32,
  // What the output has room for.
  vertices : u32,
  quads : u32,
  // Weights of the regularisers: deviation of dual vertices, and sign changes; loss per voxel and per edge.
  deviation : f32,
  signChange : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
// The dual cases (8 words each, see dualTable.ts); then per slot the 27 slots around (x fastest; slot + 1, 0 = none),
// and x | y << 10 | z << 20.
@group(0) @binding(1) var<storage, read> topology : array<u32>;

const TABLE_WORDS : u32 = 4096u;
const BRICK_WORDS : u32 = 28u;
const NONE : u32 = 0xffffffffu;
const CELL_WEIGHTS : u32 = 21u;

// Entries: case number in bits 0–8, then flags.
const CASE : u32 = 511u;
const ACTIVE : u32 = 512u;
const CROSSING : u32 = 1024u; // << axis: the edges that start at the sample
const INNER : u32 = 8192u; // all eight cells around the sample are there
const VALID : u32 = 16384u; // all corners of the cell are there

fn itemAt(group : vec3u, groups : vec3u, local : u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

fn localOf(item : u32) -> vec3i {
  return vec3i(vec3u(item & 3u, (item >> 2u) & 3u, (item >> 4u) & 3u));
}

// The sample (or cell) at an offset of at most 4 in each direction.
fn neighbour(item : u32, d : vec3i) -> u32 {
  let p = localOf(item) + d;
  let b = vec3u((p >> vec3u(2u)) + 1);
  let slot = topology[TABLE_WORDS + (item >> 6u) * BRICK_WORDS + b.x + b.y * 3u + b.z * 9u];
  if (slot == 0u) {
    return NONE;
  }
  let q = vec3u(p & vec3i(3));
  return (slot - 1u) * 64u + q.x + q.y * 4u + q.z * 16u;
}

fn gridPosition(item : u32) -> vec3f {
  let word = topology[TABLE_WORDS + (item >> 6u) * BRICK_WORDS + 27u];
  let brick = vec3u(word & 1023u, (word >> 10u) & 1023u, word >> 20u);
  return vec3f(vec3i(brick * 4u) + localOf(item));
}

fn cornerOffset(c : u32) -> vec3i {
  return vec3i(vec3u(c & 1u, (c >> 1u) & 1u, c >> 2u));
}

// Lower corner of an edge.
fn edgeCorner(edge : u32) -> u32 {
  let a = edge & 1u;
  let b = (edge >> 1u) & 1u;
  switch (edge >> 2u) {
    case 0u: { return (a << 1u) | (b << 2u); }
    case 1u: { return a | (b << 2u); }
    default: { return a | (b << 1u); }
  }
}

fn axisStep(axis : u32) -> vec3i {
  return vec3i(i32(axis == 0u), i32(axis == 1u), i32(axis == 2u));
}

// The two axes across an edge's, ascending.
fn acrossAxes(axis : u32) -> vec2u {
  return vec2u(select(0u, 1u, axis == 0u), select(2u, 1u, axis == 2u));
}

fn caseWord(entry : u32, word : u32) -> u32 {
  return topology[(entry & CASE) * 8u + word];
}

fn loopOf(word0 : u32, edge : u32) -> u32 {
  return (word0 >> (edge * 2u)) & 3u;
}

fn loopCount(word0 : u32) -> u32 {
  return (word0 >> 24u) & 7u;
}

fn nextEdge(entry : u32, edge : u32) -> u32 {
  return (caseWord(entry, 1u + (edge >> 3u)) >> ((edge & 7u) * 4u)) & 15u;
}

fn previousEdge(entry : u32, edge : u32) -> u32 {
  return (caseWord(entry, 3u + (edge >> 3u)) >> ((edge & 7u) * 4u)) & 15u;
}

// Crossing edges of a sample along lower axes than this one.
fn crossingRank(entry : u32, axis : u32) -> u32 {
  return countOneBits((entry / CROSSING) & ((1u << axis) - 1u));
}

// The k-th cell around the edge along `axis` from a sample: counter-clockwise in the plane of the two axes across, as
// offsets 0 or −1 along them.
fn roundBits(k : u32) -> vec2u {
  return vec2u(u32(k == 1u || k == 2u), u32(k >= 2u));
}

fn cellAround(item : u32, axis : u32, k : u32) -> u32 {
  let across = acrossAxes(axis);
  let bits = roundBits(k);
  return neighbour(item, -(axisStep(across.x) * i32(bits.x) + axisStep(across.y) * i32(bits.y)));
}

// That edge's number within its k-th cell.
fn edgeAround(axis : u32, k : u32) -> u32 {
  let bits = roundBits(k);
  return axis * 4u + bits.x + bits.y * 2u;
}
