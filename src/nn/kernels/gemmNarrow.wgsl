// The product of gemm.wgsl for processors whose subgroups have eight lanes, as software adapters have: there a load
// costs as much as twenty multiplications, and workgroup memory as much as any other. So each lane keeps three columns
// of 24 rows, and what one lane has loaded of a row is broadcast to all. Both matrices are read in bands of 24 rows
// (pack.wgsl), the columns in fours.
enable subgroups;

struct Params {
  rows: u32,
  outputs: u32,
  fours: u32,      // inputs / 4, rounded up
  bands: u32,      // rows / 24, rounded up
  activation: u32,
  parts: u32,      // bit 0: bias, 1: gate, 2: residual
  gateColumn: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec2u>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

// #include "activation.wgsl"

override HALVES: bool = true;

const BAND = 24u;

fn weights(at: u32) -> vec4f {
  if (HALVES) {
    let words = weight[at];
    return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
  }
  return vec4f(bitcast<vec2f>(weight[2u * at]), bitcast<vec2f>(weight[2u * at + 1u]));
}

fn step(c: vec3f, a: vec4f, bx: vec3f, by: vec3f, bz: vec3f, bw: vec3f) -> vec3f {
  return fma(vec3f(a.w), bw, fma(vec3f(a.z), bz, fma(vec3f(a.y), by, fma(vec3f(a.x), bx, c))));
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) t: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let band = min(group.x * 4u + t / 8u, params.bands - 1u);
  let left = band * params.fours * BAND + lane;
  let right = group.y * params.fours * BAND + lane;
  var c0 = vec3f(); var c1 = vec3f(); var c2 = vec3f(); var c3 = vec3f();
  var c4 = vec3f(); var c5 = vec3f(); var c6 = vec3f(); var c7 = vec3f();
  var c8 = vec3f(); var c9 = vec3f(); var c10 = vec3f(); var c11 = vec3f();
  var c12 = vec3f(); var c13 = vec3f(); var c14 = vec3f(); var c15 = vec3f();
  var c16 = vec3f(); var c17 = vec3f(); var c18 = vec3f(); var c19 = vec3f();
  var c20 = vec3f(); var c21 = vec3f(); var c22 = vec3f(); var c23 = vec3f();
  for (var k = 0u; k < params.fours; k++) {
    let a0 = x[left + k * BAND];
    let a1 = x[left + k * BAND + 8u];
    let a2 = x[left + k * BAND + 16u];
    let b0 = weights(right + k * BAND);
    let b1 = weights(right + k * BAND + 8u);
    let b2 = weights(right + k * BAND + 16u);
    let bx = vec3f(b0.x, b1.x, b2.x);
    let by = vec3f(b0.y, b1.y, b2.y);
    let bz = vec3f(b0.z, b1.z, b2.z);
    let bw = vec3f(b0.w, b1.w, b2.w);
    c0 = step(c0, subgroupBroadcast(a0, 0u), bx, by, bz, bw);
    c1 = step(c1, subgroupBroadcast(a0, 1u), bx, by, bz, bw);
    c2 = step(c2, subgroupBroadcast(a0, 2u), bx, by, bz, bw);
    c3 = step(c3, subgroupBroadcast(a0, 3u), bx, by, bz, bw);
    c4 = step(c4, subgroupBroadcast(a0, 4u), bx, by, bz, bw);
    c5 = step(c5, subgroupBroadcast(a0, 5u), bx, by, bz, bw);
    c6 = step(c6, subgroupBroadcast(a0, 6u), bx, by, bz, bw);
    c7 = step(c7, subgroupBroadcast(a0, 7u), bx, by, bz, bw);
    c8 = step(c8, subgroupBroadcast(a1, 0u), bx, by, bz, bw);
    c9 = step(c9, subgroupBroadcast(a1, 1u), bx, by, bz, bw);
    c10 = step(c10, subgroupBroadcast(a1, 2u), bx, by, bz, bw);
    c11 = step(c11, subgroupBroadcast(a1, 3u), bx, by, bz, bw);
    c12 = step(c12, subgroupBroadcast(a1, 4u), bx, by, bz, bw);
    c13 = step(c13, subgroupBroadcast(a1, 5u), bx, by, bz, bw);
    c14 = step(c14, subgroupBroadcast(a1, 6u), bx, by, bz, bw);
    c15 = step(c15, subgroupBroadcast(a1, 7u), bx, by, bz, bw);
    c16 = step(c16, subgroupBroadcast(a2, 0u), bx, by, bz, bw);
    c17 = step(c17, subgroupBroadcast(a2, 1u), bx, by, bz, bw);
    c18 = step(c18, subgroupBroadcast(a2, 2u), bx, by, bz, bw);
    c19 = step(c19, subgroupBroadcast(a2, 3u), bx, by, bz, bw);
    c20 = step(c20, subgroupBroadcast(a2, 4u), bx, by, bz, bw);
    c21 = step(c21, subgroupBroadcast(a2, 5u), bx, by, bz, bw);
    c22 = step(c22, subgroupBroadcast(a2, 6u), bx, by, bz, bw);
    c23 = step(c23, subgroupBroadcast(a2, 7u), bx, by, bz, bw);
  }
  var sums = array<vec3f, BAND>(
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11,
    c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23,
  );
  for (var i = 0u; i < BAND; i++) {
    let row = band * BAND + i;
    for (var j = 0u; j < 3u; j++) {
      let column = group.y * BAND + j * 8u + lane;
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
