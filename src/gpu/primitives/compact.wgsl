// Indices of the non-zero flags, ascending, in blocks of 1024: `countFlags` per block, a prefix sum of the counts by the host,
// then `writeIndices` from each block's offset.

// #include "blockPrefix.wgsl"

struct Params {
  count: u32,      // flags bound
  firstBlock: u32, // number of the first block bound
  capacity: u32,   // indices that the output holds; further ones are dropped
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> flags: array<u32>;
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

fn flagsSet(first: u32) -> u32 {
  var sum = 0u;
  for (var i = first; i < min(first + ITEMS, params.count); i++) { sum += select(0u, 1u, flags[i] != 0u); }
  return sum;
}

@compute @workgroup_size(64)
fn countFlags(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let total = blockTotal(t, flagsSet((group.x * THREADS + t) * ITEMS));
  if (t == 0u) { offsets[params.firstBlock + group.x] = total; }
}

@compute @workgroup_size(64)
fn writeIndices(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = (group.x * THREADS + t) * ITEMS;
  var place = offsets[params.firstBlock + group.x] + blockPrefix(t, flagsSet(first));
  for (var i = first; i < min(first + ITEMS, params.count); i++) {
    if (flags[i] != 0u) {
      if (place < params.capacity) { indices[place] = params.firstBlock * THREADS * ITEMS + i; }
      place++;
    }
  }
}
