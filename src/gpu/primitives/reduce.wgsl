// One level of a reduction: 1024 items to one. The order of the additions is fixed, so f32 sums are the same bytes on
// every run.

struct Params {
  count: u32,      // items bound
  firstBlock: u32, // number of the first block bound
  identity: u32,   // bits of the value that stands for "nothing"
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

override TYPE: u32 = 0u;      // 0: u32, 1: i32, 2: f32
override OPERATION: u32 = 0u; // 0: sum, 1: min, 2: max

const THREADS = 64u;
const ITEMS = 16u;

var<workgroup> partial: array<u32, 64>;

fn combine(a: u32, b: u32) -> u32 {
  if (TYPE == 2u) {
    let x = bitcast<f32>(a);
    let y = bitcast<f32>(b);
    if (OPERATION == 0u) { return bitcast<u32>(x + y); }
    if (OPERATION == 1u) { return bitcast<u32>(min(x, y)); }
    return bitcast<u32>(max(x, y));
  }
  if (OPERATION == 0u) { return a + b; }
  if (TYPE == 1u) {
    let x = bitcast<i32>(a);
    let y = bitcast<i32>(b);
    return bitcast<u32>(select(max(x, y), min(x, y), OPERATION == 1u));
  }
  return select(max(a, b), min(a, b), OPERATION == 1u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = (group.x * THREADS + t) * ITEMS;
  var value = params.identity;
  for (var i = first; i < min(first + ITEMS, params.count); i++) { value = combine(value, data[i]); }
  partial[t] = value;
  workgroupBarrier();
  if (t < 8u) {
    value = partial[t * 8u];
    for (var i = 1u; i < 8u; i++) { value = combine(value, partial[t * 8u + i]); }
    partial[t * 8u] = value;
  }
  workgroupBarrier();
  if (t == 0u) {
    for (var i = 1u; i < 8u; i++) { value = combine(value, partial[i * 8u]); }
    result[params.firstBlock + group.x] = value;
  }
}
