// One pass of a stable least-significant-digit radix sort over 4-bit digits, in blocks of 1024 keys. Every thread owns
// 16 consecutive keys, and one column of a digit × thread table of counts, so ranks need no atomics and keep the order
// of equals.

struct Params {
  count: u32,
  blocks: u32,
  shift: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
// Digit-major: table[digit * blocks + block]. Counts before the scan of the whole table, first places after it.
@group(0) @binding(2) var<storage, read_write> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> sortedKeys: array<u32>;
@group(0) @binding(4) var<storage, read> values: array<u32>;
@group(0) @binding(5) var<storage, read_write> sortedValues: array<u32>;

const THREADS = 64u;
const ITEMS = 16u;
const DIGITS = 16u;
const SEGMENT = 16u;
const SEGMENTS = 4u; // of a digit's row

var<workgroup> counts: array<u32, 1024>; // DIGITS × THREADS
var<workgroup> segments: array<u32, 64>;
var<workgroup> places: array<u32, 16>;

fn digitOf(key: u32) -> u32 {
  return (key >> params.shift) & (DIGITS - 1u);
}

fn countDigits(first: u32, t: u32) {
  for (var d = 0u; d < DIGITS; d++) { counts[d * THREADS + t] = 0u; }
  for (var i = first; i < min(first + ITEMS, params.count); i++) {
    counts[digitOf(keys[i]) * THREADS + t] += 1u;
  }
  workgroupBarrier();
}

@compute @workgroup_size(64)
fn histogram(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let block = group.y * groups.x + group.x;
  countDigits((block * THREADS + t) * ITEMS, t);
  var sum = 0u;
  for (var i = 0u; i < SEGMENT; i++) { sum += counts[t * SEGMENT + i]; }
  segments[t] = sum;
  workgroupBarrier();
  if (t < DIGITS && block < params.blocks) {
    var total = 0u;
    for (var s = 0u; s < SEGMENTS; s++) { total += segments[t * SEGMENTS + s]; }
    table[t * params.blocks + block] = total;
  }
}

// Turns counts into the rank of each thread's first key of each digit among the block's keys of that digit.
fn rank(block: u32, t: u32) {
  countDigits((block * THREADS + t) * ITEMS, t);
  var sum = 0u;
  for (var i = 0u; i < SEGMENT; i++) {
    let value = counts[t * SEGMENT + i];
    counts[t * SEGMENT + i] = sum;
    sum += value;
  }
  segments[t] = sum;
  if (t < DIGITS && block < params.blocks) { places[t] = table[t * params.blocks + block]; }
  workgroupBarrier();
  var before = places[t / SEGMENTS];
  for (var s = t - t % SEGMENTS; s < t; s++) { before += segments[s]; }
  for (var i = 0u; i < SEGMENT; i++) { counts[t * SEGMENT + i] += before; }
  workgroupBarrier();
}

@compute @workgroup_size(64)
fn scatterKeys(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let block = group.y * groups.x + group.x;
  rank(block, t);
  let first = (block * THREADS + t) * ITEMS;
  for (var i = first; i < min(first + ITEMS, params.count); i++) {
    let key = keys[i];
    let slot = digitOf(key) * THREADS + t;
    sortedKeys[counts[slot]] = key;
    counts[slot] += 1u;
  }
}

@compute @workgroup_size(64)
fn scatterPairs(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let block = group.y * groups.x + group.x;
  rank(block, t);
  let first = (block * THREADS + t) * ITEMS;
  for (var i = first; i < min(first + ITEMS, params.count); i++) {
    let key = keys[i];
    let slot = digitOf(key) * THREADS + t;
    sortedKeys[counts[slot]] = key;
    sortedValues[counts[slot]] = values[i];
    counts[slot] += 1u;
  }
}
