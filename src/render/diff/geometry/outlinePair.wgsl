// Where an outline passes between the centres of two neighbouring pixels (Laine et al. 2020, section 3.5). Shared by
// both directions.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  offset : u32,
  clipScale : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
// Per pixel, for the pairs with its right and its lower neighbour: 0 = none, or distance << 22 | (triangle × 3 + edge)
// << 1 | first pixel in front.
@group(0) @binding(1) var<storage, read> outlines : array<u32>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(4) var<storage, read> color : array<vec4f>;

struct Pair {
  // The outline passes between the centres.
  found : bool,
  // Whether the first pixel shows the nearer surface, whose outline it is.
  firstInFront : bool,
  // Distance from the centre of the pixel in front to the outline, 0 … 1 pixel.
  d : f32,
  // Records of the edge's ends, and the edge in the pair's own axes: x along the pair.
  v0 : u32,
  v1 : u32,
  c0 : vec3f,
  c1 : vec3f,
  // The line through both centres is y = line; centres of the pixel in front and of the other.
  line : f32,
  front : f32,
  other : f32,
};

// (x, y, w) with x along the pair's direction.
fn turned(c : vec4f, vertical : bool) -> vec3f {
  return select(c.xyw, c.yxw, vertical);
}

// Pixel `i`, at (x, y) of view n, and its neighbour to the right or below.
fn pairAt(n : u32, i : u32, at : vec2u, vertical : bool) -> Pair {
  var r : Pair;
  let key = outlines[i * 2u + select(0u, 1u, vertical)];
  r.found = key != 0u;
  if (!r.found) {
    return r;
  }
  let base = params.offset + n * params.positions * 2u;
  let next = at + select(vec2u(1u, 0u), vec2u(0u, 1u), vertical);
  let p0 = pixelCenter(at.x, at.y, params.width, params.height);
  let p1 = pixelCenter(next.x, next.y, params.width, params.height);
  r.firstInFront = (key & 1u) == 1u;
  let front = select(p1, p0, r.firstInFront);
  let other = select(p0, p1, r.firstInFront);
  r.front = select(front.x, front.y, vertical);
  r.other = select(other.x, other.y, vertical);
  r.line = select(front.y, front.x, vertical);
  let edge = (key & 0x3fffffu) >> 1u;
  let corner = triangles[edge / 3u * 6u];
  let k = edge % 3u;
  r.v0 = base + corner[k] * 2u;
  r.v1 = base + corner[(k + 1u) % 3u] * 2u;
  r.c0 = turned(vertices[r.v0], vertical);
  r.c1 = turned(vertices[r.v1], vertical);
  let a0 = r.c0.y - r.line * r.c0.z;
  let a1 = r.c1.y - r.line * r.c1.z;
  let x = (r.c0.x * a1 - r.c1.x * a0) / (r.c0.z * a1 - r.c1.z * a0);
  r.d = clamp((x - r.front) / (r.other - r.front), 0.0, 1.0);
  return r;
}
