// Indices of the non-zero flags, ascending, in blocks of 1024: `countFlags` per block, a prefix sum of the counts by the host,
// then `writeIndices` from each block's offset.

struct Params {
  count: u32,      // flags bound
  firstBlock: u32, // number of the first block bound
  capacity: u32,   // indices that the output holds; further ones are dropped
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> flags: array<u32>;
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

const THREADS = 64u;
const ITEMS = 16u;
const ROW = 8u;

var<workgroup> partial: array<u32, 64>;
var<workgroup> rows: array<u32, 8>;

fn flagsSet(first: u32) -> u32 {
  var sum = 0u;
  for (var i = first; i < min(first + ITEMS, params.count); i++) { sum += select(0u, 1u, flags[i] != 0u); }
  return sum;
}

@compute @workgroup_size(64)
fn countFlags(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  partial[t] = flagsSet((group.x * THREADS + t) * ITEMS);
  workgroupBarrier();
  if (t == 0u) {
    var sum = 0u;
    for (var i = 0u; i < THREADS; i++) { sum += partial[i]; }
    offsets[params.firstBlock + group.x] = sum;
  }
}

@compute @workgroup_size(64)
fn writeIndices(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = (group.x * THREADS + t) * ITEMS;
  partial[t] = flagsSet(first);
  workgroupBarrier();
  if (t < ROW) {
    var sum = 0u;
    for (var i = t * ROW; i < (t + 1u) * ROW; i++) {
      let value = partial[i];
      partial[i] = sum;
      sum += value;
    }
    rows[t] = sum;
  }
  workgroupBarrier();
  var place = offsets[params.firstBlock + group.x] + partial[t];
  for (var i = 0u; i < t / ROW; i++) { place += rows[i]; }
  for (var i = first; i < min(first + ITEMS, params.count); i++) {
    if (flags[i] != 0u) {
      if (place < params.capacity) { indices[place] = params.firstBlock * THREADS * ITEMS + i; }
      place++;
    }
  }
}
