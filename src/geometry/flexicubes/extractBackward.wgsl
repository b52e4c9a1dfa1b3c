// Gradients of the dual vertices and quad centres of extract.wgsl, gathered in a fixed order. See extractBackward.ts.
// #include "isosurface.wgsl"

// vec4f × 2 per position: (x, y, z, field), (r, g, b, 0).
// throughCenters
@group(0) @binding(2) var<storage, read> quads : array<vec4u>;
@group(0) @binding(3) var<storage, read> entries : array<u32>;
@group(0) @binding(4) var<storage, read> offsets : array<u32>;
@group(0) @binding(5) var<storage, read> positions : array<f32>;
@group(0) @binding(6) var<storage, read> attributes : array<vec4f>;
@group(0) @binding(7) var<storage, read> gradient : array<vec4f>;
@group(0) @binding(8) var<storage, read_write> quadWeights : array<vec2f>;

// gatherCenters
@group(0) @binding(2) var<storage, read> quadWeightsIn : array<vec2f>;
@group(0) @binding(5) var<storage, read> gradientIn : array<vec4f>;
@group(0) @binding(6) var<storage, read_write> vertexGradients : array<vec4f>;
@group(0) @binding(7) var<storage, read_write> weightGradients : array<f32>;

// throughCrossings
@group(0) @binding(2) var<storage, read> samples : array<vec4f>;
@group(0) @binding(5) var<storage, read> weights : array<f32>;
@group(0) @binding(6) var<storage, read> vertexGradientsIn : array<vec4f>;
@group(0) @binding(8) var<storage, read_write> cornerGradients : array<vec4f>;

// gatherCorners
@group(0) @binding(5) var<storage, read> cornerGradientsIn : array<vec4f>;
@group(0) @binding(6) var<storage, read_write> sampleGradients : array<vec4f>;

fn center(p : u32) -> vec3f {
  return vec3f(positions[p * 3u], positions[p * 3u + 1u], positions[p * 3u + 2u]);
}

// Gradient of the exponent of every γ around a quad, up to its sign.
@compute @workgroup_size(64)
fn throughCenters(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  let entry = entries[item];
  for (var axis = 0u; axis < 3u; axis++) {
    if ((entry & (CROSSING << axis)) == 0u) {
      continue;
    }
    let c = offsets[params.samples + item] + crossingRank(entry, axis);
    let q = c - offsets[params.samples];
    if (q >= params.quads || c >= params.vertices + params.quads) {
      return;
    }
    let v = quads[q];
    let between = (center(v.x) + center(v.z) - center(v.y) - center(v.w)) * 0.5;
    let colors = (attributes[v.x] + attributes[v.z] - attributes[v.y] - attributes[v.w]).rgb * 0.5;
    let w = quadWeights[q].x;
    quadWeights[q].y = w * (1.0 - w) * (dot(gradient[c * 2u].xyz, between) + dot(gradient[c * 2u + 1u].rgb, colors));
  }
}

// Per cell: its dual vertices' own gradients, and their shares of the centres around them; and the gradient of γ.
@compute @workgroup_size(64)
fn gatherCenters(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  let entry = entries[item];
  let first = offsets[item];
  let word0 = caseWord(entry, 0u);
  if ((entry & ACTIVE) == 0u || first + loopCount(word0) > params.vertices) {
    return;
  }
  let crossed = caseWord(entry, 5u);
  var sums : array<vec4f, 8>;
  for (var l = 0u; l < loopCount(word0); l++) {
    sums[l * 2u] = gradientIn[(first + l) * 2u];
    sums[l * 2u + 1u] = gradientIn[(first + l) * 2u + 1u];
  }
  var gamma = 0.0;
  for (var e = 0u; e < 12u; e++) {
    if (((crossed >> e) & 1u) == 0u) {
      continue;
    }
    let axis = e >> 2u;
    let owner = neighbour(item, cornerOffset(edgeCorner(e)));
    let theirs = entries[owner];
    if ((theirs & (CROSSING << axis)) == 0u) {
      continue;
    }
    let c = offsets[params.samples + owner] + crossingRank(theirs, axis);
    let q = c - offsets[params.samples];
    if (q >= params.quads || c >= params.vertices + params.quads) {
      continue;
    }
    let info = quadWeightsIn[q];
    // Cells 0 and 2 around the edge have it at equal sides along both axes.
    let even = (e & 1u) == ((e >> 1u) & 1u);
    let share = 0.5 * select(1.0 - info.x, info.x, even);
    let l = loopOf(word0, e);
    sums[l * 2u] += gradientIn[c * 2u] * share;
    sums[l * 2u + 1u] += gradientIn[c * 2u + 1u] * share;
    gamma += select(-info.y, info.y, even);
  }
  for (var l = 0u; l < loopCount(word0); l++) {
    vertexGradients[(first + l) * 2u] = sums[l * 2u];
    vertexGradients[(first + l) * 2u + 1u] = sums[l * 2u + 1u];
  }
  weightGradients[first * CELL_WEIGHTS + 20u] = gamma;
}

// Per cell: from its dual vertices to crossings, and on to the eight corners and the weights.
@compute @workgroup_size(64)
fn throughCrossings(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  let entry = entries[item];
  let first = offsets[item];
  let word0 = caseWord(entry, 0u);
  let loops = loopCount(word0);
  if ((entry & ACTIVE) == 0u || first + loops > params.vertices) {
    return;
  }
  let crossed = caseWord(entry, 5u);
  var field : array<vec4f, 8>;
  var tint : array<vec3f, 8>;
  for (var c = 0u; c < 8u; c++) {
    let at = neighbour(item, cornerOffset(c));
    let d = samples[at * 2u];
    field[c] = vec4f(d.x, vec3f(cornerOffset(c)) + d.yzw);
    tint[c] = samples[at * 2u + 1u].rgb;
  }
  // Crossings: (place, share of the upper end), colour and weight; and of the vertices: weighted sums.
  var place : array<vec4f, 12>;
  var color : array<vec4f, 12>;
  var sum : array<vec4f, 4>;
  var colorSum : array<vec3f, 4>;
  var number : array<f32, 4>;
  for (var e = 0u; e < 12u; e++) {
    if (((crossed >> e) & 1u) == 0u) {
      continue;
    }
    let a = edgeCorner(e);
    let b = a | (1u << (e >> 2u));
    let wa = field[a].x * exp(weights[item * CELL_WEIGHTS + a]);
    let wb = field[b].x * exp(weights[item * CELL_WEIGHTS + b]);
    let t = wa / (wa - wb);
    let beta = exp(weights[item * CELL_WEIGHTS + 8u + e]);
    place[e] = vec4f(mix(field[a].yzw, field[b].yzw, t), t);
    color[e] = vec4f(mix(tint[a], tint[b], t), beta);
    let l = loopOf(word0, e);
    sum[l] += vec4f(place[e].xyz, 1.0) * beta;
    colorSum[l] += color[e].rgb * beta;
    number[l] += 1.0;
  }
  // The mean absolute deviation of the crossings' distances from their vertex.
  var vertex : array<vec3f, 4>;
  var mean : array<f32, 4>;
  var signs : array<f32, 4>;
  var pull : array<vec3f, 4>;
  for (var l = 0u; l < loops; l++) {
    vertex[l] = sum[l].xyz / sum[l].w;
    colorSum[l] /= sum[l].w;
    pull[l] = vertexGradientsIn[(first + l) * 2u].xyz * params.voxel;
  }
  if (params.deviation > 0.0) {
    for (var e = 0u; e < 12u; e++) {
      if (((crossed >> e) & 1u) == 1u) {
        let l = loopOf(word0, e);
        mean[l] += length(place[e].xyz - vertex[l]) / number[l];
      }
    }
    for (var e = 0u; e < 12u; e++) {
      if (((crossed >> e) & 1u) == 1u) {
        let l = loopOf(word0, e);
        signs[l] += sign(length(place[e].xyz - vertex[l]) - mean[l]) / number[l];
      }
    }
  }
  // Of the distance's gradient the vertex's part comes first, as it flows on through the mean.
  for (var e = 0u; e < 12u; e++) {
    if (((crossed >> e) & 1u) == 1u && params.deviation > 0.0) {
      let l = loopOf(word0, e);
      pull[l] -= away(place[e].xyz - vertex[l], mean[l], signs[l]) * (params.deviation / number[l]);
    }
  }
  var cornerField : array<vec4f, 8>;
  var cornerTint : array<vec3f, 8>;
  var alpha : array<f32, 8>;
  for (var e = 0u; e < 12u; e++) {
    if (((crossed >> e) & 1u) == 0u) {
      weightGradients[first * CELL_WEIGHTS + 8u + e] = 0.0;
      continue;
    }
    let a = edgeCorner(e);
    let b = a | (1u << (e >> 2u));
    let l = loopOf(word0, e);
    let t = place[e].w;
    let share = color[e].w / sum[l].w;
    let gColor = vertexGradientsIn[(first + l) * 2u + 1u].rgb;
    let gField = vertexGradientsIn[(first + l) * 2u].w * share;
    weightGradients[first * CELL_WEIGHTS + 8u + e] = share * (dot(pull[l], place[e].xyz - vertex[l]) + dot(gColor,
      color[e].rgb - colorSum[l]));
    var g = pull[l] * share;
    if (params.deviation > 0.0) {
      g += away(place[e].xyz - vertex[l], mean[l], signs[l]) * (params.deviation / number[l]);
    }
    let gt = dot(g, field[b].yzw - field[a].yzw) + share * dot(gColor, tint[b] - tint[a]);
    let ea = exp(weights[item * CELL_WEIGHTS + a]);
    let eb = exp(weights[item * CELL_WEIGHTS + b]);
    let wa = field[a].x * ea;
    let wb = field[b].x * eb;
    let d = (wa - wb) * (wa - wb);
    let ga = -wb / d * gt;
    let gb = wa / d * gt;
    alpha[a] += ga * wa;
    alpha[b] += gb * wb;
    cornerField[a] += vec4f(ga * ea + gField * (1.0 - t), g * (1.0 - t));
    cornerField[b] += vec4f(gb * eb + gField * t, g * t);
    cornerTint[a] += gColor * (share * (1.0 - t));
    cornerTint[b] += gColor * (share * t);
  }
  for (var c = 0u; c < 8u; c++) {
    cornerGradients[(first * 8u + c) * 2u] = cornerField[c];
    cornerGradients[(first * 8u + c) * 2u + 1u] = vec4f(cornerTint[c], 0.0);
    weightGradients[first * CELL_WEIGHTS + c] = alpha[c];
  }
}

// Gradient of a vertex's mean absolute deviation to one crossing, times their number.
fn away(d : vec3f, mean : f32, signs : f32) -> vec3f {
  let l = length(d);
  return d * ((sign(l - mean) - signs) / max(l, 1e-6));
}

// Per sample: the shares of the cells around, and the sign-change regulariser. w of the second word: 0 nothing came, 1
// all may move, 2 colour only.
@compute @workgroup_size(64)
fn gatherCorners(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  var g = vec4f(0.0);
  var gColor = vec3f(0.0);
  var touched = false;
  for (var c = 0u; c < 8u; c++) {
    let cell = neighbour(item, -cornerOffset(c));
    if (cell == NONE) {
      continue;
    }
    let entry = entries[cell];
    let first = offsets[cell];
    if ((entry & ACTIVE) == 0u || first + loopCount(caseWord(entry, 0u)) > params.vertices) {
      continue;
    }
    touched = true;
    g += cornerGradientsIn[(first * 8u + c) * 2u];
    gColor += cornerGradientsIn[(first * 8u + c) * 2u + 1u].rgb;
  }
  if (!touched) {
    sampleGradients[item * 2u + 1u] = vec4f(0.0);
    return;
  }
  let here = samples[item * 2u].x;
  let p = 1.0 / (1.0 + exp(-here));
  for (var k = 0u; k < 6u; k++) {
    let other = neighbour(item, axisStep(k >> 1u) * select(-1, 1, (k & 1u) == 1u));
    if (other == NONE) {
      continue;
    }
    let there = samples[other * 2u].x;
    if ((here < 0.0) != (there < 0.0)) {
      g.x += params.signChange * (p - select(1.0, 0.0, there < 0.0));
    }
  }
  let inner = (entries[item] & INNER) != 0u;
  sampleGradients[item * 2u] = g;
  sampleGradients[item * 2u + 1u] = vec4f(gColor, select(2.0, 1.0, inner));
}
