// Brings the heads of a tensor into the order in which attentionNarrow.wgsl reads them, head after head. Rows beyond
// the tensor are zero.

struct Params {
  fours: u32,         // columns of the tensor / 4
  firstFour: u32,     // of the first head that is taken
  heads: u32,
  firstRow: u32,      // rows of the tensor that are at hand
  rows: u32,
  firstPacked: u32,   // rows that are written, in fours where keys are
  packedRows: u32,
  headRows: u32,      // rows of a head in the result, a multiple of 24
  keysInFours: u32,   // 0: bands of 24 rows, 1: fours of rows
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

const BAND = 24u;
const FOURS = 16u;

fn numbers(row: u32, head: u32, four: u32) -> vec4f {
  if (row < params.firstRow || row >= params.firstRow + params.rows) { return vec4f(); }
  return x[(row - params.firstRow) * params.fours + params.firstFour + head * FOURS + four] * params.scale;
}

// One thread for each four of columns of each row, or of each four of rows.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  let four = i % FOURS;
  let head = i / FOURS % params.heads;
  let item = i / FOURS / params.heads;
  if (item >= params.packedRows) { return; }
  let at = params.firstPacked + item;
  let ofHead = head * params.headRows * FOURS;
  if (params.keysInFours == 0u) {
    result[ofHead + at / BAND * (BAND * FOURS) + four * BAND + at % BAND] = numbers(at, head, four);
    return;
  }
  let a = numbers(at * 4u, head, four);
  let b = numbers(at * 4u + 1u, head, four);
  let c = numbers(at * 4u + 2u, head, four);
  let d = numbers(at * 4u + 3u, head, four);
  let to = ofHead + at * 4u * FOURS + four * 4u;
  result[to] = vec4f(a.x, b.x, c.x, d.x);
  result[to + 1u] = vec4f(a.y, b.y, c.y, d.y);
  result[to + 2u] = vec4f(a.z, b.z, c.z, d.z);
  result[to + 3u] = vec4f(a.w, b.w, c.w, d.w);
}
