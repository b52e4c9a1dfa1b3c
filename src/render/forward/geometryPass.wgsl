// Depth along the viewing axis and triangle number at pixel centres. Vertices are fetched by hand, so that the triangle
// number needs no optional feature.

struct View {
  worldToClip : mat4x4f,
  // Third row of world-to-camera, negated: dot with (position, 1) is the depth.
  axis : vec4f,
};

@group(0) @binding(0) var<uniform> view : View;
@group(0) @binding(1) var<storage, read> positions : array<f32>;
@group(0) @binding(2) var<storage, read> indices : array<u32>;

struct Fragment {
  @builtin(position) clip : vec4f,
  @location(0) depth : f32,
  @location(1) @interpolate(flat, either) triangle : u32,
};

@vertex
fn vertex(@builtin(vertex_index) corner : u32) -> Fragment {
  let v = indices[corner] * 3u;
  let position = vec4f(positions[v], positions[v + 1u], positions[v + 2u], 1.0);
  var out : Fragment;
  out.clip = view.worldToClip * position;
  out.depth = dot(view.axis, position);
  out.triangle = corner / 3u;
  return out;
}

struct Geometry {
  @location(0) depth : f32,
  @location(1) triangle : u32,
};

@fragment
fn fragment(f : Fragment) -> Geometry {
  return Geometry(f.depth, f.triangle + 1u);
}

@fragment
fn depthOnly(f : Fragment) -> @location(0) f32 {
  return f.depth;
}
