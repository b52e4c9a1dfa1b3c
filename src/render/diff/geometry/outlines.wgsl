// #include "barycentric.wgsl"
// Where outlines pass between the centres of neighbouring pixels. An edge is on the outline in a view if it has no
// neighbour, or if its neighbour lies on the same side of it on the screen (one of the two faces away, or the surface
// folds). Each such edge is followed from pixel to pixel: the triangles that pixels show need not own it, as near an
// outline triangles are narrower than pixels.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  triangles : u32,
  offset : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> ids : array<u32>;
// Two per pixel, for the pairs with its right and its lower neighbour: 0, or the outermost crossing (see
// `outlinePair.wgsl`).
@group(0) @binding(4) var<storage, read_write> outlines : array<atomic<u32>>;

const DISTANCE_STEPS : f32 = 1022.0;

// Sign tells the side of the screen line a → b on which c lies; homogeneous, for points in front of the camera.
fn side(a : vec4f, b : vec4f, c : vec4f) -> f32 {
  return dot(cross(a.xyw, b.xyw), c.xyw);
}

// Distance along the viewing axis of what a pixel shows.
fn depthAt(base : u32, id : u32, p : vec2f) -> f32 {
  let corner = triangles[(id - 1u) * 6u].xyz;
  let c0 = vertices[base + corner.x * 2u];
  let c1 = vertices[base + corner.y * 2u];
  let c2 = vertices[base + corner.z * 2u];
  return dot(barycentric(p, c0, c1, c2).b, vec3f(c0.w, c1.w, c2.w));
}

// Follows edge a → b of the view, whose triangle lies on its left (`left`) or right, along the rows (or, `vertical`,
// the columns) that it crosses.
fn follow(n : u32, base : u32, a : vec4f, b : vec4f, left : bool, edge : u32) {
  let size = vec2f(f32(params.width), f32(params.height));
  let pa = a.xy / a.w;
  let pb = b.xy / b.w;
  let extent = abs(pb - pa) * size;
  // An edge is met across its shorter extent only: each step of the outline counts once.
  let vertical = extent.x > extent.y;
  // Pixels, y down; `s` runs along the pairs, `t` from line to line.
  let qa = vec2f(pa.x * 0.5 + 0.5, 0.5 - pa.y * 0.5) * size - 0.5;
  let qb = vec2f(pb.x * 0.5 + 0.5, 0.5 - pb.y * 0.5) * size - 0.5;
  let ta = select(qa.y, qa.x, vertical);
  let tb = select(qb.y, qb.x, vertical);
  let sa = select(qa.x, qa.y, vertical);
  let sb = select(qb.x, qb.y, vertical);
  let lines = i32(select(params.height, params.width, vertical));
  let places = i32(select(params.width, params.height, vertical));
  let first = max(i32(ceil(min(ta, tb))), 0);
  let last = min(i32(ceil(max(ta, tb))), lines);
  // What lies on the left of an edge that goes up or right on the screen comes first in a pair.
  let firstInFront = left == select(pb.y > pa.y, pb.x > pa.x, vertical);
  // Along an outline the surface falls away steeply: a pixel inside may be this much nearer than the outline and still
  // be of it.
  let footprint = 2.0 * length(vertices[n * 4u + 1u].xyz) / f32(params.width);
  let reach = 1.5 * sqrt(max(size.x, size.y)) * footprint;
  for (var line = first; line < last; line++) {
    let share = (f32(line) - ta) / (tb - ta);
    let s = sa + (sb - sa) * share;
    let place = i32(floor(s));
    if (place < 0 || place >= places - 1) {
      continue;
    }
    let depth = 1.0 / mix(1.0 / a.w, 1.0 / b.w, share);
    let at0 = select(vec2u(u32(place), u32(line)), vec2u(u32(line), u32(place)), vertical);
    let at1 = at0 + select(vec2u(1u, 0u), vec2u(0u, 1u), vertical);
    let front = select(at1, at0, firstInFront);
    let other = select(at0, at1, firstInFront);
    let pixels = n * params.width * params.height;
    let frontId = ids[pixels + front.y * params.width + front.x];
    let otherId = ids[pixels + other.y * params.width + other.x];
    if (frontId == 0u || frontId == otherId) {
      continue;
    }
    // Hidden by something nearer, or by what the other pixel shows.
    if (depthAt(base, frontId, pixelCenter(front.x, front.y, params.width, params.height)) < depth * (1.0 - reach)) {
      continue;
    }
    if (otherId != 0u && depthAt(base, otherId, pixelCenter(other.x, other.y, params.width, params.height)) <= depth) {
      continue;
    }
    let fromFirst = s - f32(place);
    let d = select(1.0 - fromFirst, fromFirst, firstInFront);
    let key = ((u32(d * DISTANCE_STEPS) + 1u) << 22u) | (edge << 1u) | select(0u, 1u, firstInFront);
    atomicMax(&outlines[(pixels + at0.y * params.width + at0.x) * 2u + select(0u, 1u, vertical)], key);
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.triangles * params.views) {
    return;
  }
  let n = i / params.triangles;
  let t = i - n * params.triangles;
  let base = params.offset + n * params.positions * 2u;
  let corner = triangles[t * 6u];
  let opposite = triangles[t * 6u + 1u];
  let c = array<vec4f, 3>(vertices[base + corner.x * 2u], vertices[base + corner.y * 2u], vertices[base + corner.z
    * 2u]);
  if (min(c[0].w, min(c[1].w, c[2].w)) <= 0.0) {
    return;
  }
  let own = side(c[0], c[1], c[2]);
  for (var k = 0u; k < 3u; k++) {
    let a = c[k];
    let b = c[(k + 1u) % 3u];
    let other = opposite[k];
    if (other == 0xffffffffu || side(a, b, vertices[base + other * 2u]) * own >= 0.0) {
      follow(n, base, a, b, own > 0.0, t * 3u + k);
    }
  }
}
