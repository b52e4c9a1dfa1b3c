// Attention without a matrix of scores (Dao et al. 2022): each thread keeps one query, the greatest score so far, the
// sum of its weights and the weighted sum of values, while the workgroup goes through the keys tile by tile. The keys
// of a segment may be several runs ("contexts") with a softmax each, whose results are averaged.

struct Params {
  queryStride: u32,  // columns of the tensors
  keyStride: u32,
  valueStride: u32,
  resultStride: u32,
  queryColumn: u32,  // of the first head
  keyColumn: u32,
  valueColumn: u32,
  resultColumn: u32,
  segment: vec4u,    // first query, queries, first key, keys; where there is no list
  listed: u32,       // 1: segments are listed
  contexts: u32,
  firstTile: u32,
  firstSegment: u32,
  firstRow: u32,     // rows that the result begins with and has
  rows: u32,
  parts: u32,        // of a head, 4 numbers each
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> queries: array<vec4f>;
@group(0) @binding(2) var<storage, read> keys: array<vec4f>;
@group(0) @binding(3) var<storage, read> values: array<vec4f>;
@group(0) @binding(4) var<storage, read> segments: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> result: array<vec4f>;

const SIZE = 64u;            // numbers of a head

const PARTS = SIZE / 4u;

// As many as PARTS. Where they are many the compiler is not to know it: it would write out every loop over them, and
// take minutes for that.
fn parts() -> u32 { return select(PARTS, params.parts, SIZE > 64u); }

const TILE = 2048u / SIZE;   // keys in workgroup memory: 8 KiB, and as much for values

var<workgroup> keyTile: array<vec4f, 512>;
var<workgroup> valueTile: array<vec4f, 512>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  var segment = params.segment;
  if (params.listed == 1u) { segment = segments[group.z + params.firstSegment]; }
  let first = (group.x + params.firstTile) * 64u;
  if (first >= segment.y) { return; }
  let begins = segment.x + first;
  if (begins + 64u <= params.firstRow || begins >= params.firstRow + params.rows) { return; }
  let head = group.y * PARTS;
  let row = segment.x + min(first + t, segment.y - 1u);
  let scale = 1.0 / sqrt(f32(SIZE));
  var query: array<vec4f, PARTS>;
  for (var i = 0u; i < parts(); i++) {
    query[i] = queries[row * (params.queryStride / 4u) + params.queryColumn / 4u + head + i] * scale;
  }
  let to = (row - params.firstRow) * (params.resultStride / 4u) + params.resultColumn / 4u + head;
  let length = segment.w / params.contexts;
  for (var context = 0u; context < params.contexts; context++) {
    let firstKey = segment.z + context * length;
    var greatest = -3.0e38;
    var total = 0.0;
    var sums: array<vec4f, PARTS>;
    for (var begin = 0u; begin < length; begin += TILE) {
      workgroupBarrier();
      for (var at = t; at < 512u; at += 64u) {
        let key = min(begin + at / PARTS, length - 1u) + firstKey;
        let part = head + at % PARTS;
        keyTile[at] = keys[key * (params.keyStride / 4u) + params.keyColumn / 4u + part];
        valueTile[at] = values[key * (params.valueStride / 4u) + params.valueColumn / 4u + part];
      }
      workgroupBarrier();
      for (var j = 0u; j < min(TILE, length - begin); j++) {
        var score4 = vec4f();
        for (var i = 0u; i < parts(); i++) { score4 = fma(query[i], keyTile[j * PARTS + i], score4); }
        let score = score4.x + score4.y + score4.z + score4.w;
        if (score > greatest) {
          let shrink = exp(greatest - score);
          total *= shrink;
          for (var i = 0u; i < parts(); i++) { sums[i] *= shrink; }
          greatest = score;
        }
        let weight = exp(score - greatest);
        total += weight;
        for (var i = 0u; i < parts(); i++) { sums[i] = fma(vec4f(weight), valueTile[j * PARTS + i], sums[i]); }
      }
    }
    if (first + t < segment.y && row >= params.firstRow && row < params.firstRow + params.rows) {
      let factor = 1.0 / (total * f32(params.contexts));
      for (var i = 0u; i < parts(); i++) {
        var mean = sums[i] * factor;
        if (context > 0u) { mean += result[to + i]; }
        result[to + i] = mean;
      }
    }
  }
}
