// What moves numbers about, one thread a number of the result.

struct Params {
  count: u32,       // numbers of the result, or of the part that is written
  columns: u32,     // of the result
  activation: u32,
  period: u32,      // numbers of the other summand
  offset: u32,      // place of the first number among them, or in the whole result
  firstRow: u32,    // rows of a tensor that are at hand
  rows: u32,
  fromColumns: u32,
  fromColumn: u32,
  placed: u32,      // columns that are placed
  toColumn: u32,
  size: vec3u,      // sides of a volume
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> first: array<i32>;
@group(0) @binding(4) var<storage, read> list: array<i32>;
@group(0) @binding(5) var<storage, read_write> result: array<f32>;

// #include "activation.wgsl"

fn place(group: vec3u, groups: vec3u, t: u32) -> u32 { return (group.y * groups.x + group.x) * 64u + t; }

@compute @workgroup_size(64)
fn activateAll(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = place(group, groups, t);
  if (i < params.count) { result[i] = activate(params.activation, x[i]); }
}

@compute @workgroup_size(64)
fn add(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = place(group, groups, t);
  if (i < params.count) { result[i] = x[i] + y[(params.offset + i) % params.period]; }
}

// Row r of the result is row list[r] of x, where that is at hand.
@compute @workgroup_size(64)
fn gather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = place(group, groups, t);
  if (i >= params.count) { return; }
  let row = u32(list[i / params.columns]);
  if (row < params.firstRow || row >= params.firstRow + params.rows) { return; }
  result[i] = x[(row - params.firstRow) * params.columns + i % params.columns];
}

// Writes columns of x beside what else the rows of the result hold.
@compute @workgroup_size(64)
fn placeColumns(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = place(group, groups, t);
  if (i >= params.count) { return; }
  let row = i / params.placed;
  let c = i % params.placed;
  result[row * params.columns + params.toColumn + c] = x[row * params.fromColumns + params.fromColumn + c];
}

// Row r of the result: the sum of x's rows list[first[r] … first[r + 1]], divided by their count + 1.
@compute @workgroup_size(64)
fn pool(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = place(group, groups, t);
  if (i >= params.count) { return; }
  let row = i / params.columns;
  let c = i % params.columns;
  var sum = 0.0;
  for (var j = first[row]; j < first[row + 1u]; j++) { sum += x[u32(list[j]) * params.columns + c]; }
  result[i] = sum / f32(first[row + 1u] - first[row] + 1);
}

// A volume of `size` with 8 channels for each of the result's, to one of twice the side; where x is at hand.
@compute @workgroup_size(64)
fn pixelShuffle(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = place(group, groups, t);
  if (i >= params.count) { return; }
  let c = i % params.columns;
  let voxel = (params.offset + i) / params.columns;
  let z = voxel % (2u * params.size.z);
  let y = voxel / (2u * params.size.z) % (2u * params.size.y);
  let x0 = voxel / (4u * params.size.z * params.size.y);
  let source = (x0 / 2u * params.size.y + y / 2u) * params.size.z + z / 2u;
  if (source < params.firstRow || source >= params.firstRow + params.rows) { return; }
  let child = (x0 % 2u) * 4u + (y % 2u) * 2u + z % 2u;
  result[i] = x[((source - params.firstRow) * params.columns + c) * 8u + child];
}
