// Brings a matrix into the order in which the narrow product reads it: bands of 24 rows, in each the columns in
// fours, for each four the rows one after the other. What lies beyond the matrix is zero.

struct Params {
  rows: u32,
  columns: u32,
  fours: u32,     // columns / 4, rounded up
  bands: u32,     // rows / BAND, rounded up
  channels: u32,  // with neighbours: columns of x, columns = 27 · channels
  gather: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> neighbours: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

const BAND = 24u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) t: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + t;
  if (i >= params.bands * params.fours * BAND) { return; }
  let row = i / (params.fours * BAND) * BAND + i % BAND;
  let column = i / BAND % params.fours * 4u;
  var four = vec4f();
  if (row < params.rows) {
    for (var c = 0u; c < 4u; c++) {
      if (column + c >= params.columns) { break; }
      if (params.gather == 0u) {
        four[c] = x[row * params.columns + column + c];
      } else {
        let tap = (column + c) / params.channels;
        let source = neighbours[row * 27u + tap];
        if (source >= 0) { four[c] = x[u32(source) * params.channels + column + c - tap * params.channels]; }
      }
    }
  }
  result[i] = four;
}
