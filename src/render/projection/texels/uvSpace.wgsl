// Draws a mesh into its own texture space: what surface each texel of a page belongs to.

struct Page {
  // uv to clip space of the page: scale and offset.
  scale : vec2f,
  offset : vec2f,
};

@group(0) @binding(0) var<uniform> page : Page;
@group(0) @binding(1) var<storage, read> uvs : array<f32>;
@group(0) @binding(2) var<storage, read> indices : array<u32>;
@group(0) @binding(3) var<storage, read> first : array<f32>;
@group(0) @binding(4) var<storage, read> second : array<f32>;

struct Fragment {
  @builtin(position) clip : vec4f,
  @location(0) first : vec3f,
  @location(1) second : vec3f,
};

fn place(v : u32) -> vec4f {
  return vec4f(vec2f(uvs[v * 2u], uvs[v * 2u + 1u]) * page.scale + page.offset, 0.0, 1.0);
}

@vertex
fn surfaceVertex(@builtin(vertex_index) corner : u32) -> Fragment {
  let v = indices[corner];
  var out : Fragment;
  out.clip = place(v);
  out.first = vec3f(first[v * 3u], first[v * 3u + 1u], first[v * 3u + 2u]);
  out.second = vec3f(second[v * 3u], second[v * 3u + 1u], second[v * 3u + 2u]);
  return out;
}

struct Surface {
  @location(0) position : vec4f,
  @location(1) normal : vec4f,
};

@fragment
fn surface(f : Fragment) -> Surface {
  return Surface(vec4f(f.first, 1.0), vec4f(f.second / max(length(f.second), 1e-12), 0.0));
}

struct ColorFragment {
  @builtin(position) clip : vec4f,
  @location(0) color : vec4f,
};

@vertex
fn colorVertex(@builtin(vertex_index) corner : u32) -> ColorFragment {
  let v = indices[corner];
  var out : ColorFragment;
  out.clip = place(v);
  out.color = vec4f(first[v * 4u], first[v * 4u + 1u], first[v * 4u + 2u], first[v * 4u + 3u]);
  return out;
}

@fragment
fn color(f : ColorFragment) -> @location(0) vec4f {
  return f.color;
}
