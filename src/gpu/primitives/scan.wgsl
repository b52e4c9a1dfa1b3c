// Prefix sum of u32 in blocks of 1024. `blockSums` adds up each block; the host scans the sums with the same kernels
// and `scanBlocks` then scans every block from its offset.

// #include "blockPrefix.wgsl"

struct Params {
  count: u32,      // items bound
  firstBlock: u32, // number of the first block bound, for arrays that need several bindings
  inclusive: u32,
  top: u32,        // 1: the only block; starts at 0 and leaves its total in sums[0]
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

fn sumOfItems(first: u32) -> u32 {
  var sum = 0u;
  for (var i = first; i < min(first + ITEMS, params.count); i++) { sum += data[i]; }
  return sum;
}

@compute @workgroup_size(64)
fn blockSums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let total = blockTotal(t, sumOfItems((group.x * THREADS + t) * ITEMS));
  if (t == 0u) { sums[params.firstBlock + group.x] = total; }
}

@compute @workgroup_size(64)
fn scanBlocks(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = (group.x * THREADS + t) * ITEMS;
  var sum = blockPrefix(t, sumOfItems(first));
  if (params.top == 0u) { sum += sums[params.firstBlock + group.x]; }
  for (var i = first; i < min(first + ITEMS, params.count); i++) {
    let after = sum + data[i];
    data[i] = select(sum, after, params.inclusive == 1u);
    sum = after;
  }
  if (params.top == 1u && t == THREADS - 1u) { sums[0] = sum; }
}
