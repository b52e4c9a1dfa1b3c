// Norms and rotations of heads, in place: heads lie side by side in the columns of a row.

struct Params {
  rows: u32,
  stride: u32,    // columns of the tensor
  column: u32,    // of the first head
  heads: u32,
  size: u32,      // columns of a head
  eps: f32,
  base: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<i32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

// x / max(‖x‖, 1e-12) · √size · weight, weight by head and column. One thread a head.
@compute @workgroup_size(64)
fn rms(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  if (i >= params.rows * params.heads) { return; }
  let head = i % params.heads;
  let at = i / params.heads * params.stride + params.column + head * params.size;
  var sum = 0.0;
  for (var c = 0u; c < params.size; c++) { sum = fma(x[at + c], x[at + c], sum); }
  let factor = sqrt(f32(params.size)) / max(sqrt(sum), 1e-12);
  for (var c = 0u; c < params.size; c++) { x[at + c] *= factor * weight[head * params.size + c]; }
}

// To mean 0 and variance 1, then weight x + bias, the same for all heads.
@compute @workgroup_size(64)
fn layerNorm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  if (i >= params.rows * params.heads) { return; }
  let at = i / params.heads * params.stride + params.column + i % params.heads * params.size;
  var sum = 0.0;
  for (var c = 0u; c < params.size; c++) { sum += x[at + c]; }
  let mean = sum / f32(params.size);
  sum = 0.0;
  for (var c = 0u; c < params.size; c++) { sum = fma(x[at + c] - mean, x[at + c] - mean, sum); }
  let factor = 1.0 / sqrt(sum / f32(params.size) + params.eps);
  for (var c = 0u; c < params.size; c++) { x[at + c] = fma((x[at + c] - mean) * factor, weight[c], bias[c]); }
}

// Rotates pairs (i, i + size/4) of the first half of a head by the row's y, of the second by its x. One thread a pair.
@compute @workgroup_size(64)
fn rope2d(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  let pairs = params.size / 2u;
  if (i >= params.rows * params.heads * pairs) { return; }
  let quarter = params.size / 4u;
  let pair = i % pairs;
  let axis = pair / quarter;
  let place = pair % quarter;
  let row = i / pairs / params.heads;
  let head = i / pairs % params.heads;
  let at = row * params.stride + params.column + head * params.size + axis * 2u * quarter + place;
  let angle = f32(positions[row * 2u + axis]) * pow(params.base, -f32(place) / f32(quarter));
  let a = x[at];
  let b = x[at + quarter];
  x[at] = a * cos(angle) - b * sin(angle);
  x[at + quarter] = b * cos(angle) + a * sin(angle);
}
