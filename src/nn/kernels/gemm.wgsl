// result = residual + gate · activation(x Wᵀ + bias), W as it is stored: f32, or two halves or bfloats in a word. With
// GATHER the inputs of a row are those of its 27 neighbours, one after the other, zeros where there is none: a
// convolution.
//
// A workgroup of 16 × 16 makes 64 × 64 results, 4 × 4 a thread, from tiles of 16 inputs in workgroup memory.

struct Params {
  rows: u32,
  inputs: u32,     // columns of W
  outputs: u32,    // rows of W
  channels: u32,   // with GATHER: columns of x, inputs = 27 · channels
  activation: u32,
  parts: u32,      // bit 0: bias, 1: gate, 2: residual
  gateColumn: u32,
  groupRow: u32,   // first row of workgroups
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec2u>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<f32>;
@group(0) @binding(6) var<storage, read> neighbours: array<i32>;
@group(0) @binding(7) var<storage, read_write> result: array<f32>;

override WEIGHT: u32 = 0u;      // 0: f32, 1: f16, 2: bf16
override GATHER: bool = false;
override WHOLE: bool = true;    // channels (or inputs) are a multiple of 4

// #include "activation.wgsl"

const TILE = 64u;
const DEPTH = 4u;               // vec4 of a tile along the inputs
const STRIDE = DEPTH + 1u;      // keeps threads that read different rows off each other's banks

var<workgroup> left: array<vec4f, TILE * STRIDE>;
var<workgroup> right: array<vec4f, TILE * STRIDE>;

fn wideBf16(word: u32) -> vec2f { return vec2f(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u)); }

fn element(words: u32, odd: bool) -> f32 {
  let pair = select(unpack2x16float(words), wideBf16(words), WEIGHT == 2u);
  return select(pair.x, pair.y, odd);
}

// One weight by its place.
fn weightAt(at: u32) -> f32 {
  if (WEIGHT == 0u) {
    let words = weight[at >> 1u];
    return bitcast<f32>(select(words.x, words.y, (at & 1u) == 1u));
  }
  let words = weight[at >> 2u];
  return element(select(words.x, words.y, (at & 2u) == 2u), (at & 1u) == 1u);
}

fn weights(row: u32, k: u32) -> vec4f {
  if (row >= params.outputs || k >= params.inputs) { return vec4f(); }
  let at = row * params.inputs + k;
  if (WHOLE) {
    if (WEIGHT == 0u) { return vec4f(bitcast<vec2f>(weight[at >> 1u]), bitcast<vec2f>(weight[(at >> 1u) + 1u])); }
    let words = weight[at >> 2u];
    if (WEIGHT == 1u) { return vec4f(unpack2x16float(words.x), unpack2x16float(words.y)); }
    return vec4f(wideBf16(words.x), wideBf16(words.y));
  }
  var values = vec4f();
  for (var i = 0u; i < 4u; i++) { if (k + i < params.inputs) { values[i] = weightAt(at + i); } }
  return values;
}

fn inputAt(at: u32) -> f32 { return x[at >> 2u][at & 3u]; }

fn inputs(row: u32, k: u32) -> vec4f {
  if (row >= params.rows || k >= params.inputs) { return vec4f(); }
  if (GATHER) {
    if (WHOLE) {
      let tap = k / params.channels;
      let source = neighbours[row * 27u + tap];
      if (source < 0) { return vec4f(); }
      return x[(u32(source) * params.channels + k - tap * params.channels) >> 2u];
    }
    var values = vec4f();
    for (var i = 0u; i < 4u; i++) {
      if (k + i < params.inputs) {
        let tap = (k + i) / params.channels;
        let source = neighbours[row * 27u + tap];
        if (source >= 0) { values[i] = inputAt(u32(source) * params.channels + k + i - tap * params.channels); }
      }
    }
    return values;
  }
  let at = row * params.inputs + k;
  if (WHOLE) { return x[at >> 2u]; }
  var values = vec4f();
  for (var i = 0u; i < 4u; i++) { if (k + i < params.inputs) { values[i] = inputAt(at + i); } }
  return values;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let firstRow = (group.y + params.groupRow) * TILE;
  let firstColumn = group.x * TILE;
  let tx = t % 16u;
  let ty = t / 16u;
  let loadRow = t / DEPTH;
  let loadPart = t % DEPTH;
  var sums: array<vec4f, 4>;
  for (var k = 0u; k < params.inputs; k += 4u * DEPTH) {
    left[loadRow * STRIDE + loadPart] = inputs(firstRow + loadRow, k + loadPart * 4u);
    right[loadRow * STRIDE + loadPart] = weights(firstColumn + loadRow, k + loadPart * 4u);
    workgroupBarrier();
    for (var part = 0u; part < DEPTH; part++) {
      let b0 = right[tx * STRIDE + part];
      let b1 = right[(tx + 16u) * STRIDE + part];
      let b2 = right[(tx + 32u) * STRIDE + part];
      let b3 = right[(tx + 48u) * STRIDE + part];
      for (var i = 0u; i < 4u; i++) {
        let a = left[(ty + i * 16u) * STRIDE + part];
        sums[i] += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let row = firstRow + ty + i * 16u;
    for (var j = 0u; j < 4u; j++) {
      let column = firstColumn + tx + j * 16u;
      if (row < params.rows && column < params.outputs) { write(row, column, sums[i][j]); }
    }
  }
}

fn write(row: u32, column: u32, sum: f32) {
  let at = row * params.outputs + column;
  var y = sum;
  if ((params.parts & 1u) != 0u) { y += bias[column]; }
  y = activate(params.activation, y);
  if ((params.parts & 2u) != 0u) { y *= gate[params.gateColumn + column]; }
  if ((params.parts & 4u) != 0u) { y += residual[at]; }
  result[at] = y;
}
