// Triangle number + 1 at pixel centres by the hardware rasteriser. Vertices are fetched by hand, so that no optional
// feature is needed.

struct Params {
  // First vertex record of the view, in vec4f.
  offset : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;

struct Fragment {
  @builtin(position) clip : vec4f,
  @location(0) @interpolate(flat, either) triangle : u32,
};

@vertex
fn vertex(@builtin(vertex_index) corner : u32) -> Fragment {
  let t = corner / 3u;
  let p = triangles[t * 6u][corner - t * 3u];
  return Fragment(vertices[params.offset + p * 2u], t + 1u);
}

@fragment
fn fragment(f : Fragment) -> @location(0) u32 {
  return f.triangle;
}
