// PatchMatch: `start` finds a first plane for every pixel, `sweep` lets pixels of one colour of a chequerboard take
// over planes of the other colour's and vary them. One thread per pixel.
// Xu & Tao 2019, "Multi-Scale Geometric Consistency Guided Multi-View Stereo" (ACMM).
// #include "stereo.wgsl"
// #include "sourceMaps.wgsl"

@group(0) @binding(6) var<storage, read_write> planes: array<vec4f>; // per pixel of the picture; w = 0: none
@group(0) @binding(7) var<storage, read_write> costs: array<f32>; // per pixel of the picture

const NOTHING = 4.0; // cost of what has no plane
const TAU = 6.2831853;
/** Of costs in the weight of a source: half of 1 / 0.3². */
const SELECTIVITY = 5.5555556;
const BAD_COST = 1.2;
const GOOD_COST = 0.8;

var<private> weights: array<f32, 8>;
var<private> table: array<f32, 72>; // costs: candidates × sources
var<private> counter: u32;

fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn seedRandom(at: u32) {
  counter = hash(hash(hash(params.seed) ^ at) + params.round);
}

fn random() -> f32 {
  counter = hash(counter);
  return f32(counter >> 8u) / 16777216.0;
}

// A direction that faces the camera by at least a quarter.
fn randomNormal(ray: vec3f) -> vec3f {
  let z = mix(0.25, 1.0, random());
  let angle = TAU * random();
  let r = sqrt(1.0 - z * z);
  let towards = -normalize(ray);
  let side = normalize(cross(towards, vec3f(0.0, 1.0, 0.0)));
  return towards * z + (side * cos(angle) + cross(towards, side) * sin(angle)) * r;
}

fn varied(normal: vec3f, by: f32, ray: vec3f) -> vec3f {
  let offset = vec3f(random(), random(), random()) * 2.0 - 1.0;
  let n = normalize(normal + by * offset);
  return select(normal, n, dot(n, ray) < -0.1 * length(ray));
}

fn geometricCost(s: u32, ray: vec3f, depth: f32, x: u32, y: u32) -> f32 {
  if (params.consistency == 0.0) { return 0.0; }
  return params.consistency * min(3.0, disagreement(s, ray, depth, vec2f(f32(x), f32(y)) + 0.5));
}

fn weightedCost(m: vec3f, ray: vec3f, depth: f32, x: u32, y: u32) -> f32 {
  var sum = 0.0;
  var total = 0.0;
  for (var s = 0u; s < params.sources; s++) {
    if (weights[s] == 0.0) { continue; }
    sum += weights[s] * (matchCost(s, m, ray) + geometricCost(s, ray, depth, x, y));
    total += weights[s];
  }
  return sum / total;
}

// Mean of the two best sources: which ones see the pixel is not known yet.
fn firstCost(m: vec3f, ray: vec3f) -> f32 {
  var best = vec2f(WORST);
  for (var s = 0u; s < params.sources; s++) {
    let cost = matchCost(s, m, ray);
    if (cost < best.x) { best = vec2f(cost, best.x); } else { best.y = min(best.y, cost); }
  }
  return select(0.5 * (best.x + best.y), best.x, params.sources == 1u);
}

@compute @workgroup_size(64)
fn start(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) { return; }
  let pixel = pixels[params.first + id.x];
  let x = pixel & 0xffffu;
  let y = pixel >> 16u;
  let at = y * params.size.x + x;
  if (!readWindow(x, y)) {
    costs[at] = WORST;
    return;
  }
  let ray = rayOf(f32(x) + 0.5, f32(y) + 0.5);
  seedRandom(at);
  var best = planes[at];
  var cost = NOTHING;
  if (best.w > 0.0) { cost = firstCost(inversePlane(best, ray), ray); }
  for (var k = 0u; k < params.hypotheses; k++) {
    // Even in inverse depth, which is even in pixels of the sources.
    let share = (f32(k) + random()) / f32(params.hypotheses);
    let plane = vec4f(randomNormal(ray), 1.0 / mix(1.0 / params.farthest, 1.0 / params.nearest, share));
    let tried = firstCost(inversePlane(plane, ray), ray);
    if (tried < cost) {
      cost = tried;
      best = plane;
    }
  }
  planes[at] = best;
  costs[at] = cost;
}

struct Neighbour { at: i32, x: i32, y: i32, cost: f32 }

fn better(best: Neighbour, x: i32, y: i32) -> Neighbour {
  if (x < 0 || y < 0 || x >= i32(params.size.x) || y >= i32(params.size.y)) { return best; }
  let at = y * i32(params.size.x) + x;
  let cost = costs[at];
  if (cost < best.cost) { return Neighbour(at, x, y, cost); }
  return best;
}

// The best pixel of the other colour in one of eight regions: four of V shape close by, four strips that reach far.
fn bestOf(region: u32, x: i32, y: i32) -> Neighbour {
  let turn = region & 3u;
  let along = select(select(vec2i(0, -1), vec2i(0, 1), turn == 1u), select(vec2i(-1, 0), vec2i(1, 0), turn == 3u),
    turn > 1u);
  let across = along.yx;
  var best = Neighbour(-1, 0, 0, NOTHING);
  let here = vec2i(x, y);
  if (region < 4u) {
    let tip = here + along;
    best = better(best, tip.x, tip.y);
    for (var i = 1; i < 4; i++) {
      let left = here + along * (1 + i) - across * i;
      best = better(best, left.x, left.y);
      let right = here + along * (1 + i) + across * i;
      best = better(best, right.x, right.y);
    }
  } else {
    for (var i = 1; i < 12; i++) {
      let far = here + along * (1 + 2 * i);
      best = better(best, far.x, far.y);
    }
  }
  return best;
}

@compute @workgroup_size(64)
fn sweep(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) { return; }
  let pixel = pixels[params.first + id.x];
  let x = pixel & 0xffffu;
  let y = pixel >> 16u;
  let at = y * params.size.x + x;
  if (!readWindow(x, y)) { return; }
  let ray = rayOf(f32(x) + 0.5, f32(y) + 0.5);
  seedRandom(at);

  // What each source says of the own plane and of the best one of each region.
  var candidates: array<vec4f, 9>;
  candidates[0] = planes[at];
  for (var c = 1u; c < 9u; c++) {
    candidates[c] = vec4f(0.0);
    let neighbour = bestOf(c - 1u, i32(x), i32(y));
    if (neighbour.at < 0) { continue; }
    let plane = planes[neighbour.at];
    if (plane.w <= 0.0) { continue; }
    let m = inversePlane(plane, rayOf(f32(neighbour.x) + 0.5, f32(neighbour.y) + 0.5));
    let depth = 1.0 / dot(m, ray);
    if (depth < params.nearest || depth > params.farthest || dot(plane.xyz, ray) >= 0.0) { continue; }
    candidates[c] = vec4f(plane.xyz, depth);
  }
  let good = GOOD_COST * exp(-f32(params.round * params.round) / 90.0);
  var anyWeight = false;
  for (var s = 0u; s < params.sources; s++) {
    var goods = 0.0;
    var bads = 0u;
    var sum = 0.0;
    for (var c = 0u; c < 9u; c++) {
      if (candidates[c].w <= 0.0) { continue; }
      let cost = matchCost(s, inversePlane(candidates[c], ray), ray);
      table[c * MOST_SOURCES + s] = cost;
      if (cost < good) {
        goods += 1.0;
        sum += exp(-cost * cost * SELECTIVITY);
      } else if (cost > BAD_COST) {
        bads++;
      }
    }
    weights[s] = 0.0;
    if (goods >= 2.0) { weights[s] = sum / goods; } else if (bads < 3u) { weights[s] = exp(-good * good * SELECTIVITY); }
    anyWeight = anyWeight || weights[s] > 0.0;
  }
  if (!anyWeight) { for (var s = 0u; s < params.sources; s++) { weights[s] = 1.0; } }

  var best = vec4f(0.0);
  var cost = NOTHING;
  for (var c = 0u; c < 9u; c++) {
    if (candidates[c].w <= 0.0) { continue; }
    var sum = 0.0;
    var total = 0.0;
    for (var s = 0u; s < params.sources; s++) {
      if (weights[s] == 0.0) { continue; }
      sum += weights[s] * (table[c * MOST_SOURCES + s] + geometricCost(s, ray, candidates[c].w, x, y));
      total += weights[s];
    }
    if (sum / total < cost) {
      cost = sum / total;
      best = candidates[c];
    }
  }

  for (var k = 0u; k < params.hypotheses; k++) {
    var plane = best;
    if (plane.w <= 0.0 || k == 4u) {
      plane = vec4f(randomNormal(ray), 1.0 / mix(1.0 / params.farthest, 1.0 / params.nearest, random()));
    } else if (k == 0u) {
      plane = vec4f(varied(best.xyz, 0.2, ray), best.w * (1.0 + params.reach * (2.0 * random() - 1.0)));
    } else if (k == 1u) {
      plane = vec4f(varied(best.xyz, 0.4, ray), best.w);
    } else if (k == 2u) {
      plane.w = best.w * (1.0 + 0.2 * params.reach * (2.0 * random() - 1.0));
    } else {
      plane = vec4f(randomNormal(ray), best.w);
    }
    if (plane.w < params.nearest || plane.w > params.farthest) { continue; }
    let tried = weightedCost(inversePlane(plane, ray), ray, plane.w, x, y);
    if (tried < cost) {
      cost = tried;
      best = plane;
    }
  }
  planes[at] = best;
  costs[at] = cost;
}
