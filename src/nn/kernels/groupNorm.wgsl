// Group norm over all rows: sums of blocks of rows, their sum, then the same of the squared differences from the mean,
// then the result. The order of additions is fixed.

struct Params {
  rows: u32,        // at hand
  columns: u32,
  groups: u32,
  blocks: u32,      // of all rows
  firstBlock: u32,  // of the rows at hand
  allRows: u32,
  eps: f32,
  activation: u32,
  squares: u32,   // 1: squared differences from the mean are summed
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;   // by block and group, then mean and variance
@group(0) @binding(5) var<storage, read_write> result: array<f32>;

// #include "activation.wgsl"

const BLOCK = 64u;

var<workgroup> partial: array<f32, 64>;

fn total(value: f32, t: u32) -> f32 {
  partial[t] = value;
  for (var step = 32u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (t < step) { partial[t] += partial[t + step]; }
  }
  workgroupBarrier();
  return partial[0];
}

// Workgroup (block, group) sums one group of columns of BLOCK rows.
@compute @workgroup_size(64)
fn sumBlocks(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let size = params.columns / params.groups;
  let row = group.x * BLOCK + t;
  var mean = 0.0;
  if (params.squares == 1u) { mean = sums[params.blocks * params.groups + group.y * 2u]; }
  var sum = 0.0;
  if (row < params.rows) {
    for (var c = 0u; c < size; c++) {
      let value = x[row * params.columns + group.y * size + c] - mean;
      sum += select(value, value * value, params.squares == 1u);
    }
  }
  let all = total(sum, t);
  if (t == 0u) { sums[(params.firstBlock + group.x) * params.groups + group.y] = all; }
}

// Workgroup g sums the blocks of group g.
@compute @workgroup_size(64)
fn finish(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  var sum = 0.0;
  for (var block = t; block < params.blocks; block += 64u) { sum += sums[block * params.groups + group.x]; }
  let all = total(sum, t);
  let count = f32(params.allRows) * f32(params.columns / params.groups);
  if (t == 0u) { sums[params.blocks * params.groups + group.x * 2u + params.squares] = all / count; }
}

@compute @workgroup_size(64)
fn apply(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  if (i >= params.rows * params.columns) { return; }
  let c = i % params.columns;
  let at = params.blocks * params.groups + c / (params.columns / params.groups) * 2u;
  let y = (x[i] - sums[at]) / sqrt(sums[at + 1u] + params.eps);
  result[i] = activate(params.activation, fma(y, weight[c], bias[c]));
}
