// Kernels of the self-test whose results have one right value each.

struct Params {
  count: u32,
  size: u32,  // rows and columns of the matrices
  bins: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> result: array<atomic<u32>>;

// result[bin] counts, result[bins + bin] sums, result[2 bins + bin] is the greatest of the items a whose low bits are
// bin.
@compute @workgroup_size(64)
fn atomics(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  if (i >= params.count) { return; }
  let bin = a[i] % params.bins;
  atomicAdd(&result[bin], 1u);
  atomicAdd(&result[params.bins + bin], a[i]);
  atomicMax(&result[2u * params.bins + bin], a[i]);
}

// result = a × b for square f32 matrices of small whole numbers, so that every order of addition gives the same bits.
@compute @workgroup_size(64)
fn multiply(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  if (i >= params.size * params.size) { return; }
  let row = i / params.size;
  let column = i % params.size;
  var sum = 0.0;
  for (var k = 0u; k < params.size; k++) {
    sum += bitcast<f32>(a[row * params.size + k]) * bitcast<f32>(b[k * params.size + column]);
  }
  atomicStore(&result[i], bitcast<u32>(sum));
}
