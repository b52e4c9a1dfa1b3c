// Layer norm by row, and the norms of heads within a row. Variances are summed about the mean, since E[x²] − E[x]²
// loses all digits where the mean is large.

struct Params {
  rows: u32,
  columns: u32,
  eps: f32,
  activation: u32,
  kind: u32,        // 0: plain, 1: affine, 2: modulated by scale and shift
  scaleColumn: u32,
  shiftColumn: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> shift: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

// #include "activation.wgsl"

var<workgroup> partial: array<f32, 64>;

fn total(value: f32, t: u32) -> f32 {
  partial[t] = value;
  for (var step = 32u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (t < step) { partial[t] += partial[t + step]; }
  }
  workgroupBarrier();
  let sum = partial[0];
  workgroupBarrier();
  return sum;
}

@compute @workgroup_size(64)
fn layerNorm(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let source = row * params.columns;
  var sum = 0.0;
  for (var c = t; c < params.columns; c += 64u) { sum += x[source + c]; }
  let mean = total(sum, t) / f32(params.columns);
  sum = 0.0;
  for (var c = t; c < params.columns; c += 64u) {
    let difference = x[source + c] - mean;
    sum = fma(difference, difference, sum);
  }
  let factor = 1.0 / sqrt(total(sum, t) / f32(params.columns) + params.eps);
  for (var c = t; c < params.columns; c += 64u) {
    var y = (x[source + c] - mean) * factor;
    if (params.kind == 1u) { y = fma(y, scale[c], shift[c]); }
    if (params.kind == 2u) { y = fma(y, 1.0 + scale[params.scaleColumn + c], shift[params.shiftColumn + c]); }
    result[source + c] = activate(params.activation, y);
  }
}
