// Draws the triangles of the self-test: each pixel gets 1 + the number of the nearest triangle and the bits of its
// depth.

struct Corner {
  @builtin(position) position: vec4f,
  @location(0) @interpolate(flat, either) triangle: u32,
}

@group(0) @binding(0) var<storage, read> corners: array<vec4f>;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> Corner {
  return Corner(corners[index], index / 3u);
}

@fragment
fn pixel(in: Corner) -> @location(0) vec4u {
  return vec4u(in.triangle + 1u, bitcast<u32>(in.position.z), 0u, 0u);
}
