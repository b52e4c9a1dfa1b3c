// Where an outline passes between the centres of two neighbouring pixels (Laine et al. 2020, section 3.5). Shared by both directions.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  triangles : u32,
  offset : u32,
  clipScale : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> ids : array<u32>;
@group(0) @binding(2) var<storage, read> outlines : array<u32>;
@group(0) @binding(3) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(4) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(5) var<storage, read> color : array<vec4f>;

struct Pair {
  // 1: the outline passes between the centres.
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

fn depthAt(base : u32, id : u32, p : vec2f) -> f32 {
  let corner = triangles[(id - 1u) * 6u].xyz;
  let c0 = vertices[base + corner.x * 2u];
  let c1 = vertices[base + corner.y * 2u];
  let c2 = vertices[base + corner.z * 2u];
  let b = barycentric(p, c0, c1, c2).b;
  return dot(b, vec3f(c0.z, c1.z, c2.z)) / dot(b, vec3f(c0.w, c1.w, c2.w));
}

// (x, y, w) with x along the pair's direction.
fn turned(c : vec4f, vertical : bool) -> vec3f {
  return select(c.xyw, c.yxw, vertical);
}

// Pixels (x, y) and its neighbour to the right or below, of view n, with their ids.
fn pairAt(n : u32, at : vec2u, vertical : bool, id0 : u32, id1 : u32) -> Pair {
  var r : Pair;
  r.found = false;
  if (id0 == id1) {
    return r;
  }
  let masks = n * params.triangles;
  var mask0 = 0u;
  var mask1 = 0u;
  if (id0 != 0u) { mask0 = outlines[masks + id0 - 1u]; }
  if (id1 != 0u) { mask1 = outlines[masks + id1 - 1u]; }
  if ((mask0 | mask1) == 0u) {
    return r;
  }
  let base = params.offset + n * params.positions * 2u;
  let next = at + select(vec2u(1u, 0u), vec2u(0u, 1u), vertical);
  let p0 = pixelCenter(at.x, at.y, params.width, params.height);
  let p1 = pixelCenter(next.x, next.y, params.width, params.height);
  r.firstInFront = id1 == 0u;
  if (id0 != 0u && id1 != 0u) {
    r.firstInFront = depthAt(base, id0, p0) <= depthAt(base, id1, p1);
  }
  let mask = select(mask1, mask0, r.firstInFront);
  let id = select(id1, id0, r.firstInFront);
  if (mask == 0u) {
    return r;
  }
  let front = select(p1, p0, r.firstInFront);
  let other = select(p0, p1, r.firstInFront);
  r.front = select(front.x, front.y, vertical);
  r.other = select(other.x, other.y, vertical);
  r.line = select(front.y, front.x, vertical);
  // Pixels per unit along and across the pair.
  let size = vec2f(f32(params.width), f32(params.height));
  let along = select(size, size.yx, vertical);
  let corner = triangles[(id - 1u) * 6u];
  for (var k = 0u; k < 3u; k++) {
    if ((mask & (1u << k)) == 0u) {
      continue;
    }
    let v0 = base + corner[k] * 2u;
    let v1 = base + corner[(k + 1u) % 3u] * 2u;
    let c0 = turned(vertices[v0], vertical);
    let c1 = turned(vertices[v1], vertical);
    let a0 = c0.y - r.line * c0.z;
    let a1 = c1.y - r.line * c1.z;
    if (c0.z <= 0.0 || c1.z <= 0.0 || (a0 < 0.0) == (a1 < 0.0)) {
      continue;
    }
    // An edge is met across its shorter extent only: each step of the outline counts once.
    let extent = abs(c1.xy / c1.z - c0.xy / c0.z) * along;
    if (extent.x > extent.y || (vertical && extent.x == extent.y)) {
      continue;
    }
    let x = (c0.x * a1 - c1.x * a0) / (c0.z * a1 - c1.z * a0);
    let d = (x - r.front) / (r.other - r.front);
    if (d >= 0.0 && d <= 1.0) {
      r.found = true;
      r.d = d;
      r.v0 = v0;
      r.v1 = v1;
      r.c0 = c0;
      r.c1 = c1;
      return r;
    }
  }
  return r;
}
