// Attention for processors whose subgroups have eight lanes; gemmNarrow.wgsl says what counts there. A subgroup has 24
// queries, three a lane, and goes through the keys in tiles of 24, in the manner of attention.wgsl. Scores stand as
// keys × queries, so that all that the softmax needs of a query is in one lane, and the weights that it leaves are
// where the products with the values take them: what is broadcast are keys and values.
//
// Queries (already scaled) and keys come in bands of 24 rows, in each the columns in fours, for each four the rows one
// after the other; values in fours of keys, for each four the columns one after the other (attentionPack.wgsl).
enable subgroups;

struct Params {
  segment: vec4u,     // first query, queries, first key, keys; where there is no list
  listed: u32,        // 1: segments are listed
  contexts: u32,
  firstTile: u32,
  firstSegment: u32,
  queryRows: u32,     // of a head among the queries, a multiple of 24
  keyRows: u32,       // likewise among keys and values
  resultFours: u32,   // columns of the result / 4
  firstHead: u32,     // of the result, while queries, keys and values begin with it
  firstRow: u32,      // rows that the result begins with and has
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>;
@group(0) @binding(2) var<storage, read> keys: array<vec4f>;
@group(0) @binding(3) var<storage, read> values: array<vec4f>;
@group(0) @binding(4) var<storage, read> segments: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> result: array<vec4f>;

const BAND = 24u;
const FOURS = 16u;    // of the 64 numbers of a head
const LEAST = -3.0e38;

fn step(c: vec3f, a: vec4f, bx: vec3f, by: vec3f, bz: vec3f, bw: vec3f) -> vec3f {
  return fma(vec3f(a.w), bw, fma(vec3f(a.z), bz, fma(vec3f(a.y), by, fma(vec3f(a.x), bx, c))));
}

// Where the first four of a row stands.
fn place(row: u32) -> u32 { return row / BAND * (BAND * FOURS) + row % BAND; }

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  var segment = params.segment;
  if (params.listed == 1u) { segment = segments[group.z + params.firstSegment]; }
  let first = (group.x + params.firstTile) * BAND;
  if (first >= segment.y) { return; }
  let row = segment.x + first;
  if (row + BAND <= params.firstRow || row >= params.firstRow + params.rows) { return; }
  let last = segment.x + segment.y - 1u;
  let queryHead = group.y * params.queryRows * FOURS;
  let q0 = queryHead + place(min(row + lane, last));
  let q1 = queryHead + place(min(row + lane + 8u, last));
  let q2 = queryHead + place(min(row + lane + 16u, last));
  let keyHead = group.y * params.keyRows * FOURS;
  let length = segment.w / params.contexts;
  for (var context = 0u; context < params.contexts; context++) {
    let begin = segment.z + context * length;
    let end = begin + length;
    var greatest = vec3f(LEAST);
    var total = vec3f();
    var o0 = vec3f(); var o1 = vec3f(); var o2 = vec3f(); var o3 = vec3f();
    var o4 = vec3f(); var o5 = vec3f(); var o6 = vec3f(); var o7 = vec3f();
    var o8 = vec3f(); var o9 = vec3f(); var o10 = vec3f(); var o11 = vec3f();
    var o12 = vec3f(); var o13 = vec3f(); var o14 = vec3f(); var o15 = vec3f();
    var o16 = vec3f(); var o17 = vec3f(); var o18 = vec3f(); var o19 = vec3f();
    var o20 = vec3f(); var o21 = vec3f(); var o22 = vec3f(); var o23 = vec3f();
    var o24 = vec3f(); var o25 = vec3f(); var o26 = vec3f(); var o27 = vec3f();
    var o28 = vec3f(); var o29 = vec3f(); var o30 = vec3f(); var o31 = vec3f();
    var o32 = vec3f(); var o33 = vec3f(); var o34 = vec3f(); var o35 = vec3f();
    var o36 = vec3f(); var o37 = vec3f(); var o38 = vec3f(); var o39 = vec3f();
    var o40 = vec3f(); var o41 = vec3f(); var o42 = vec3f(); var o43 = vec3f();
    var o44 = vec3f(); var o45 = vec3f(); var o46 = vec3f(); var o47 = vec3f();
    var o48 = vec3f(); var o49 = vec3f(); var o50 = vec3f(); var o51 = vec3f();
    var o52 = vec3f(); var o53 = vec3f(); var o54 = vec3f(); var o55 = vec3f();
    var o56 = vec3f(); var o57 = vec3f(); var o58 = vec3f(); var o59 = vec3f();
    var o60 = vec3f(); var o61 = vec3f(); var o62 = vec3f(); var o63 = vec3f();
    for (var key = begin & ~3u; key < end; key += BAND) { // values stand in fours
      let k0 = keyHead + place(min(key + lane, params.keyRows - 1u));
      let k1 = keyHead + place(min(key + lane + 8u, params.keyRows - 1u));
      let k2 = keyHead + place(min(key + lane + 16u, params.keyRows - 1u));
      var c0 = vec3f(); var c1 = vec3f(); var c2 = vec3f(); var c3 = vec3f();
      var c4 = vec3f(); var c5 = vec3f(); var c6 = vec3f(); var c7 = vec3f();
      var c8 = vec3f(); var c9 = vec3f(); var c10 = vec3f(); var c11 = vec3f();
      var c12 = vec3f(); var c13 = vec3f(); var c14 = vec3f(); var c15 = vec3f();
      var c16 = vec3f(); var c17 = vec3f(); var c18 = vec3f(); var c19 = vec3f();
      var c20 = vec3f(); var c21 = vec3f(); var c22 = vec3f(); var c23 = vec3f();
      for (var k = 0u; k < FOURS * BAND; k += BAND) {
        let a0 = keys[k0 + k];
        let a1 = keys[k1 + k];
        let a2 = keys[k2 + k];
        let b0 = queries[q0 + k];
        let b1 = queries[q1 + k];
        let b2 = queries[q2 + k];
        let bx = vec3f(b0.x, b1.x, b2.x);
        let by = vec3f(b0.y, b1.y, b2.y);
        let bz = vec3f(b0.z, b1.z, b2.z);
        let bw = vec3f(b0.w, b1.w, b2.w);
        c0 = step(c0, subgroupBroadcast(a0, 0u), bx, by, bz, bw);
        c1 = step(c1, subgroupBroadcast(a0, 1u), bx, by, bz, bw);
        c2 = step(c2, subgroupBroadcast(a0, 2u), bx, by, bz, bw);
        c3 = step(c3, subgroupBroadcast(a0, 3u), bx, by, bz, bw);
        c4 = step(c4, subgroupBroadcast(a0, 4u), bx, by, bz, bw);
        c5 = step(c5, subgroupBroadcast(a0, 5u), bx, by, bz, bw);
        c6 = step(c6, subgroupBroadcast(a0, 6u), bx, by, bz, bw);
        c7 = step(c7, subgroupBroadcast(a0, 7u), bx, by, bz, bw);
        c8 = step(c8, subgroupBroadcast(a1, 0u), bx, by, bz, bw);
        c9 = step(c9, subgroupBroadcast(a1, 1u), bx, by, bz, bw);
        c10 = step(c10, subgroupBroadcast(a1, 2u), bx, by, bz, bw);
        c11 = step(c11, subgroupBroadcast(a1, 3u), bx, by, bz, bw);
        c12 = step(c12, subgroupBroadcast(a1, 4u), bx, by, bz, bw);
        c13 = step(c13, subgroupBroadcast(a1, 5u), bx, by, bz, bw);
        c14 = step(c14, subgroupBroadcast(a1, 6u), bx, by, bz, bw);
        c15 = step(c15, subgroupBroadcast(a1, 7u), bx, by, bz, bw);
        c16 = step(c16, subgroupBroadcast(a2, 0u), bx, by, bz, bw);
        c17 = step(c17, subgroupBroadcast(a2, 1u), bx, by, bz, bw);
        c18 = step(c18, subgroupBroadcast(a2, 2u), bx, by, bz, bw);
        c19 = step(c19, subgroupBroadcast(a2, 3u), bx, by, bz, bw);
        c20 = step(c20, subgroupBroadcast(a2, 4u), bx, by, bz, bw);
        c21 = step(c21, subgroupBroadcast(a2, 5u), bx, by, bz, bw);
        c22 = step(c22, subgroupBroadcast(a2, 6u), bx, by, bz, bw);
        c23 = step(c23, subgroupBroadcast(a2, 7u), bx, by, bz, bw);
      }
      if (key < begin || key + BAND > end) {
        c0 = select(c0, vec3f(LEAST), key + 0u < begin || key + 0u >= end);
        c1 = select(c1, vec3f(LEAST), key + 1u < begin || key + 1u >= end);
        c2 = select(c2, vec3f(LEAST), key + 2u < begin || key + 2u >= end);
        c3 = select(c3, vec3f(LEAST), key + 3u < begin || key + 3u >= end);
        c4 = select(c4, vec3f(LEAST), key + 4u < begin || key + 4u >= end);
        c5 = select(c5, vec3f(LEAST), key + 5u < begin || key + 5u >= end);
        c6 = select(c6, vec3f(LEAST), key + 6u < begin || key + 6u >= end);
        c7 = select(c7, vec3f(LEAST), key + 7u < begin || key + 7u >= end);
        c8 = select(c8, vec3f(LEAST), key + 8u < begin || key + 8u >= end);
        c9 = select(c9, vec3f(LEAST), key + 9u < begin || key + 9u >= end);
        c10 = select(c10, vec3f(LEAST), key + 10u < begin || key + 10u >= end);
        c11 = select(c11, vec3f(LEAST), key + 11u < begin || key + 11u >= end);
        c12 = select(c12, vec3f(LEAST), key + 12u < begin || key + 12u >= end);
        c13 = select(c13, vec3f(LEAST), key + 13u < begin || key + 13u >= end);
        c14 = select(c14, vec3f(LEAST), key + 14u < begin || key + 14u >= end);
        c15 = select(c15, vec3f(LEAST), key + 15u < begin || key + 15u >= end);
        c16 = select(c16, vec3f(LEAST), key + 16u < begin || key + 16u >= end);
        c17 = select(c17, vec3f(LEAST), key + 17u < begin || key + 17u >= end);
        c18 = select(c18, vec3f(LEAST), key + 18u < begin || key + 18u >= end);
        c19 = select(c19, vec3f(LEAST), key + 19u < begin || key + 19u >= end);
        c20 = select(c20, vec3f(LEAST), key + 20u < begin || key + 20u >= end);
        c21 = select(c21, vec3f(LEAST), key + 21u < begin || key + 21u >= end);
        c22 = select(c22, vec3f(LEAST), key + 22u < begin || key + 22u >= end);
        c23 = select(c23, vec3f(LEAST), key + 23u < begin || key + 23u >= end);
      }
      var most = greatest;
      most = max(most, c0); most = max(most, c1); most = max(most, c2); most = max(most, c3);
      most = max(most, c4); most = max(most, c5); most = max(most, c6); most = max(most, c7);
      most = max(most, c8); most = max(most, c9); most = max(most, c10); most = max(most, c11);
      most = max(most, c12); most = max(most, c13); most = max(most, c14); most = max(most, c15);
      most = max(most, c16); most = max(most, c17); most = max(most, c18); most = max(most, c19);
      most = max(most, c20); most = max(most, c21); most = max(most, c22); most = max(most, c23);
      let shrink = exp(greatest - most);
      greatest = most;
      total *= shrink;
      o0 *= shrink; o1 *= shrink; o2 *= shrink; o3 *= shrink;
      o4 *= shrink; o5 *= shrink; o6 *= shrink; o7 *= shrink;
      o8 *= shrink; o9 *= shrink; o10 *= shrink; o11 *= shrink;
      o12 *= shrink; o13 *= shrink; o14 *= shrink; o15 *= shrink;
      o16 *= shrink; o17 *= shrink; o18 *= shrink; o19 *= shrink;
      o20 *= shrink; o21 *= shrink; o22 *= shrink; o23 *= shrink;
      o24 *= shrink; o25 *= shrink; o26 *= shrink; o27 *= shrink;
      o28 *= shrink; o29 *= shrink; o30 *= shrink; o31 *= shrink;
      o32 *= shrink; o33 *= shrink; o34 *= shrink; o35 *= shrink;
      o36 *= shrink; o37 *= shrink; o38 *= shrink; o39 *= shrink;
      o40 *= shrink; o41 *= shrink; o42 *= shrink; o43 *= shrink;
      o44 *= shrink; o45 *= shrink; o46 *= shrink; o47 *= shrink;
      o48 *= shrink; o49 *= shrink; o50 *= shrink; o51 *= shrink;
      o52 *= shrink; o53 *= shrink; o54 *= shrink; o55 *= shrink;
      o56 *= shrink; o57 *= shrink; o58 *= shrink; o59 *= shrink;
      o60 *= shrink; o61 *= shrink; o62 *= shrink; o63 *= shrink;
      c0 = exp(c0 - most); total += c0; c1 = exp(c1 - most); total += c1;
      c2 = exp(c2 - most); total += c2; c3 = exp(c3 - most); total += c3;
      c4 = exp(c4 - most); total += c4; c5 = exp(c5 - most); total += c5;
      c6 = exp(c6 - most); total += c6; c7 = exp(c7 - most); total += c7;
      c8 = exp(c8 - most); total += c8; c9 = exp(c9 - most); total += c9;
      c10 = exp(c10 - most); total += c10; c11 = exp(c11 - most); total += c11;
      c12 = exp(c12 - most); total += c12; c13 = exp(c13 - most); total += c13;
      c14 = exp(c14 - most); total += c14; c15 = exp(c15 - most); total += c15;
      c16 = exp(c16 - most); total += c16; c17 = exp(c17 - most); total += c17;
      c18 = exp(c18 - most); total += c18; c19 = exp(c19 - most); total += c19;
      c20 = exp(c20 - most); total += c20; c21 = exp(c21 - most); total += c21;
      c22 = exp(c22 - most); total += c22; c23 = exp(c23 - most); total += c23;
      let firstValue = keyHead + key / 4u * (4u * FOURS) + lane;
      for (var four = 0u; four < BAND / 4u; four++) {
        let at = firstValue + four * (4u * FOURS);
        let v0 = values[at + 0u]; let v1 = values[at + 8u];
        let v2 = values[at + 16u]; let v3 = values[at + 24u];
        let v4 = values[at + 32u]; let v5 = values[at + 40u];
        let v6 = values[at + 48u]; let v7 = values[at + 56u];
        o0 = step(o0, subgroupBroadcast(v0, 0u), c0, c1, c2, c3);
        o1 = step(o1, subgroupBroadcast(v0, 1u), c0, c1, c2, c3);
        o2 = step(o2, subgroupBroadcast(v0, 2u), c0, c1, c2, c3);
        o3 = step(o3, subgroupBroadcast(v0, 3u), c0, c1, c2, c3);
        o4 = step(o4, subgroupBroadcast(v0, 4u), c0, c1, c2, c3);
        o5 = step(o5, subgroupBroadcast(v0, 5u), c0, c1, c2, c3);
        o6 = step(o6, subgroupBroadcast(v0, 6u), c0, c1, c2, c3);
        o7 = step(o7, subgroupBroadcast(v0, 7u), c0, c1, c2, c3);
        o8 = step(o8, subgroupBroadcast(v1, 0u), c0, c1, c2, c3);
        o9 = step(o9, subgroupBroadcast(v1, 1u), c0, c1, c2, c3);
        o10 = step(o10, subgroupBroadcast(v1, 2u), c0, c1, c2, c3);
        o11 = step(o11, subgroupBroadcast(v1, 3u), c0, c1, c2, c3);
        o12 = step(o12, subgroupBroadcast(v1, 4u), c0, c1, c2, c3);
        o13 = step(o13, subgroupBroadcast(v1, 5u), c0, c1, c2, c3);
        o14 = step(o14, subgroupBroadcast(v1, 6u), c0, c1, c2, c3);
        o15 = step(o15, subgroupBroadcast(v1, 7u), c0, c1, c2, c3);
        o16 = step(o16, subgroupBroadcast(v2, 0u), c0, c1, c2, c3);
        o17 = step(o17, subgroupBroadcast(v2, 1u), c0, c1, c2, c3);
        o18 = step(o18, subgroupBroadcast(v2, 2u), c0, c1, c2, c3);
        o19 = step(o19, subgroupBroadcast(v2, 3u), c0, c1, c2, c3);
        o20 = step(o20, subgroupBroadcast(v2, 4u), c0, c1, c2, c3);
        o21 = step(o21, subgroupBroadcast(v2, 5u), c0, c1, c2, c3);
        o22 = step(o22, subgroupBroadcast(v2, 6u), c0, c1, c2, c3);
        o23 = step(o23, subgroupBroadcast(v2, 7u), c0, c1, c2, c3);
        o24 = step(o24, subgroupBroadcast(v3, 0u), c0, c1, c2, c3);
        o25 = step(o25, subgroupBroadcast(v3, 1u), c0, c1, c2, c3);
        o26 = step(o26, subgroupBroadcast(v3, 2u), c0, c1, c2, c3);
        o27 = step(o27, subgroupBroadcast(v3, 3u), c0, c1, c2, c3);
        o28 = step(o28, subgroupBroadcast(v3, 4u), c0, c1, c2, c3);
        o29 = step(o29, subgroupBroadcast(v3, 5u), c0, c1, c2, c3);
        o30 = step(o30, subgroupBroadcast(v3, 6u), c0, c1, c2, c3);
        o31 = step(o31, subgroupBroadcast(v3, 7u), c0, c1, c2, c3);
        o32 = step(o32, subgroupBroadcast(v4, 0u), c0, c1, c2, c3);
        o33 = step(o33, subgroupBroadcast(v4, 1u), c0, c1, c2, c3);
        o34 = step(o34, subgroupBroadcast(v4, 2u), c0, c1, c2, c3);
        o35 = step(o35, subgroupBroadcast(v4, 3u), c0, c1, c2, c3);
        o36 = step(o36, subgroupBroadcast(v4, 4u), c0, c1, c2, c3);
        o37 = step(o37, subgroupBroadcast(v4, 5u), c0, c1, c2, c3);
        o38 = step(o38, subgroupBroadcast(v4, 6u), c0, c1, c2, c3);
        o39 = step(o39, subgroupBroadcast(v4, 7u), c0, c1, c2, c3);
        o40 = step(o40, subgroupBroadcast(v5, 0u), c0, c1, c2, c3);
        o41 = step(o41, subgroupBroadcast(v5, 1u), c0, c1, c2, c3);
        o42 = step(o42, subgroupBroadcast(v5, 2u), c0, c1, c2, c3);
        o43 = step(o43, subgroupBroadcast(v5, 3u), c0, c1, c2, c3);
        o44 = step(o44, subgroupBroadcast(v5, 4u), c0, c1, c2, c3);
        o45 = step(o45, subgroupBroadcast(v5, 5u), c0, c1, c2, c3);
        o46 = step(o46, subgroupBroadcast(v5, 6u), c0, c1, c2, c3);
        o47 = step(o47, subgroupBroadcast(v5, 7u), c0, c1, c2, c3);
        o48 = step(o48, subgroupBroadcast(v6, 0u), c0, c1, c2, c3);
        o49 = step(o49, subgroupBroadcast(v6, 1u), c0, c1, c2, c3);
        o50 = step(o50, subgroupBroadcast(v6, 2u), c0, c1, c2, c3);
        o51 = step(o51, subgroupBroadcast(v6, 3u), c0, c1, c2, c3);
        o52 = step(o52, subgroupBroadcast(v6, 4u), c0, c1, c2, c3);
        o53 = step(o53, subgroupBroadcast(v6, 5u), c0, c1, c2, c3);
        o54 = step(o54, subgroupBroadcast(v6, 6u), c0, c1, c2, c3);
        o55 = step(o55, subgroupBroadcast(v6, 7u), c0, c1, c2, c3);
        o56 = step(o56, subgroupBroadcast(v7, 0u), c0, c1, c2, c3);
        o57 = step(o57, subgroupBroadcast(v7, 1u), c0, c1, c2, c3);
        o58 = step(o58, subgroupBroadcast(v7, 2u), c0, c1, c2, c3);
        o59 = step(o59, subgroupBroadcast(v7, 3u), c0, c1, c2, c3);
        o60 = step(o60, subgroupBroadcast(v7, 4u), c0, c1, c2, c3);
        o61 = step(o61, subgroupBroadcast(v7, 5u), c0, c1, c2, c3);
        o62 = step(o62, subgroupBroadcast(v7, 6u), c0, c1, c2, c3);
        o63 = step(o63, subgroupBroadcast(v7, 7u), c0, c1, c2, c3);
        // No index may tell which weights are next: what is indexed lies in memory.
        c0 = c4; c1 = c5; c2 = c6; c3 = c7;
        c4 = c8; c5 = c9; c6 = c10; c7 = c11;
        c8 = c12; c9 = c13; c10 = c14; c11 = c15;
        c12 = c16; c13 = c17; c14 = c18; c15 = c19;
        c16 = c20; c17 = c21; c18 = c22; c19 = c23;
      }
    }
    let factor = 1.0 / (total * f32(params.contexts));
    for (var four = 0u; four < FOURS; four++) {
      write(row + lane, last, group.y, four, context, vec4f(o0[0], o1[0], o2[0], o3[0]) * factor[0]);
      write(row + lane + 8u, last, group.y, four, context, vec4f(o0[1], o1[1], o2[1], o3[1]) * factor[1]);
      write(row + lane + 16u, last, group.y, four, context, vec4f(o0[2], o1[2], o2[2], o3[2]) * factor[2]);
      o0 = o4; o1 = o5; o2 = o6; o3 = o7;
      o4 = o8; o5 = o9; o6 = o10; o7 = o11;
      o8 = o12; o9 = o13; o10 = o14; o11 = o15;
      o12 = o16; o13 = o17; o14 = o18; o15 = o19;
      o16 = o20; o17 = o21; o18 = o22; o19 = o23;
      o20 = o24; o21 = o25; o22 = o26; o23 = o27;
      o24 = o28; o25 = o29; o26 = o30; o27 = o31;
      o28 = o32; o29 = o33; o30 = o34; o31 = o35;
      o32 = o36; o33 = o37; o34 = o38; o35 = o39;
      o36 = o40; o37 = o41; o38 = o42; o39 = o43;
      o40 = o44; o41 = o45; o42 = o46; o43 = o47;
      o44 = o48; o45 = o49; o46 = o50; o47 = o51;
      o48 = o52; o49 = o53; o50 = o54; o51 = o55;
      o52 = o56; o53 = o57; o54 = o58; o55 = o59;
      o56 = o60; o57 = o61; o58 = o62; o59 = o63;
    }
  }
}

fn write(row: u32, last: u32, head: u32, four: u32, context: u32, mean: vec4f) {
  if (row > last || row < params.firstRow || row >= params.firstRow + params.rows) { return; }
  let to = (row - params.firstRow) * params.resultFours + (params.firstHead + head) * FOURS + four;
  var sum = mean;
  if (context > 0u) { sum += result[to]; }
  result[to] = sum;
}
