// Dual vertices and quads of a level set on sparse bricks: FlexiCubes (Shen et al. 2023). See extract.ts.
// #include "isosurface.wgsl"

// classify: samples → cases. resolve: cases → entries, counts.
@group(0) @binding(2) var<storage, read> samples : array<vec4f>;
@group(0) @binding(3) var<storage, read_write> cases : array<u32>;
@group(0) @binding(2) var<storage, read> casesIn : array<u32>;
@group(0) @binding(3) var<storage, read_write> entriesOut : array<u32>;
@group(0) @binding(4) var<storage, read_write> counts : array<u32>;

// vertices, quads, centers
@group(0) @binding(3) var<storage, read> entries : array<u32>;
@group(0) @binding(4) var<storage, read> offsets : array<u32>;
@group(0) @binding(5) var<storage, read> weights : array<f32>;
@group(0) @binding(6) var<storage, read_write> positions : array<f32>;
@group(0) @binding(7) var<storage, read_write> attributes : array<vec4f>;
@group(0) @binding(2) var<storage, read_write> quads : array<vec4u>;
@group(0) @binding(5) var<storage, read_write> triangles : array<vec4u>;
@group(0) @binding(2) var<storage, read> quadsIn : array<vec4u>;
@group(0) @binding(8) var<storage, read_write> quadWeights : array<vec2f>;

@compute @workgroup_size(64)
fn classify(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  var config = 0u;
  var valid = true;
  for (var c = 0u; c < 8u; c++) {
    let at = neighbour(item, cornerOffset(c));
    if (at == NONE) {
      valid = false;
      break;
    }
    config |= select(0u, 1u << c, samples[at * 2u].x < 0.0);
  }
  cases[item] = select(0u, VALID | (config * 2u), valid);
}

@compute @workgroup_size(64)
fn resolve(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  var entry = casesIn[item];
  var vertices = 0u;
  var edges = 0u;
  // Cells around by corner: bit c is set where the cell of which the sample is corner c is there.
  var around = 0u;
  for (var c = 0u; c < 8u; c++) {
    let at = neighbour(item, -cornerOffset(c));
    if (at != NONE && (casesIn[at] & VALID) != 0u) {
      around |= 1u << c;
    }
  }
  if (around == 255u) {
    entry |= INNER;
  }
  if ((entry & VALID) != 0u) {
    let config = (entry & CASE) / 2u;
    if (config != 0u && config != 255u) {
      entry |= ACTIVE;
      let face = (caseWord(entry, 0u) >> 28u) & 7u;
      if (face != 0u) {
        let f = face - 1u;
        let other = neighbour(item, axisStep(f >> 1u) * select(-1, 1, (f & 1u) == 1u));
        if (other != NONE) {
          let theirs = casesIn[other];
          if ((theirs & VALID) != 0u && ((caseWord(theirs, 0u) >> 28u) & 7u) == (f ^ 1u) + 1u) {
            entry |= 1u;
          }
        }
      }
      vertices = loopCount(caseWord(entry, 0u));
    }
    for (var axis = 0u; axis < 3u; axis++) {
      let across = acrossAxes(axis);
      let needed = 1u | (1u << (1u << across.x)) | (1u << (1u << across.y)) | (1u << ((1u << across.x)
        | (1u << across.y)));
      let here = config & 1u;
      let there = (config >> (1u << axis)) & 1u;
      if (here != there && (around & needed) == needed) {
        entry |= CROSSING << axis;
        edges++;
      }
    }
  }
  entriesOut[item] = entry;
  counts[item] = vertices;
  counts[params.samples + item] = edges;
}

@compute @workgroup_size(64)
fn vertices(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  let entry = entries[item];
  if ((entry & ACTIVE) == 0u) {
    return;
  }
  let word0 = caseWord(entry, 0u);
  let crossed = caseWord(entry, 5u);
  var sum : array<vec4f, 4>;
  var color : array<vec3f, 4>;
  for (var e = 0u; e < 12u; e++) {
    if (((crossed >> e) & 1u) == 0u) {
      continue;
    }
    let a = edgeCorner(e);
    let b = a | (1u << (e >> 2u));
    let ia = neighbour(item, cornerOffset(a));
    let ib = neighbour(item, cornerOffset(b));
    let da = samples[ia * 2u];
    let db = samples[ib * 2u];
    let wa = da.x * exp(weights[item * CELL_WEIGHTS + a]);
    let wb = db.x * exp(weights[item * CELL_WEIGHTS + b]);
    let t = wa / (wa - wb);
    let p = mix(vec3f(cornerOffset(a)) + da.yzw, vec3f(cornerOffset(b)) + db.yzw, t);
    let beta = exp(weights[item * CELL_WEIGHTS + 8u + e]);
    let loop_ = loopOf(word0, e);
    sum[loop_] += vec4f(p, 1.0) * beta;
    color[loop_] += mix(samples[ia * 2u + 1u].rgb, samples[ib * 2u + 1u].rgb, t) * beta;
  }
  let base = gridPosition(item);
  for (var l = 0u; l < loopCount(word0); l++) {
    let v = offsets[item] + l;
    if (v >= params.vertices) {
      return;
    }
    let p = params.origin + (base + sum[l].xyz / sum[l].w) * params.voxel;
    positions[v * 3u] = p.x;
    positions[v * 3u + 1u] = p.y;
    positions[v * 3u + 2u] = p.z;
    attributes[v] = vec4f(color[l] / sum[l].w, 0.0);
  }
}

fn vertexOf(cell : u32, edge : u32) -> u32 {
  return offsets[cell] + loopOf(caseWord(entries[cell], 0u), edge);
}

// The centre of the quad on the other edge that joins this one on the face of the cell across `axis`, on the side where
// this edge lies.
fn centerAcross(cell : u32, edge : u32, axis : u32) -> u32 {
  let entry = entries[cell];
  let side = (edgeCorner(edge) >> axis) & 1u;
  var other = nextEdge(entry, edge);
  if ((other >> 2u) == axis || ((edgeCorner(other) >> axis) & 1u) != side) {
    other = previousEdge(entry, edge);
  }
  let owner = neighbour(cell, cornerOffset(edgeCorner(other)));
  let theirs = entries[owner];
  if ((theirs & (CROSSING << (other >> 2u))) == 0u) {
    return NONE;
  }
  return offsets[params.samples + owner] + crossingRank(theirs, other >> 2u);
}

@compute @workgroup_size(64)
fn quadTriangles(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let item = itemAt(group, groups, local);
  if (item >= params.samples) {
    return;
  }
  let entry = entries[item];
  let inside = ((entry >> 1u) & 1u) == 1u;
  for (var axis = 0u; axis < 3u; axis++) {
    if ((entry & (CROSSING << axis)) == 0u) {
      continue;
    }
    let center = offsets[params.samples + item] + crossingRank(entry, axis);
    let q = center - offsets[params.samples];
    if (q >= params.quads || center >= params.vertices + params.quads) {
      return;
    }
    // The plane of x and z has its normal along −y.
    let reversed = (axis == 1u) == inside;
    let across = acrossAxes(axis);
    var v : vec4u;
    var beyond : vec4u;
    for (var j = 0u; j < 4u; j++) {
      let k = select(j, (4u - j) & 3u, reversed);
      let cell = cellAround(item, axis, k);
      let edge = edgeAround(axis, k);
      v[j] = vertexOf(cell, edge);
      // From cell k to the following one the dual edge passes through the face across the first of the two axes where k
      // is even.
      let forward = select(across.y, across.x, (k & 1u) == 0u);
      let backward = select(across.x, across.y, (k & 1u) == 0u);
      beyond[j] = centerAcross(cell, edge, select(forward, backward, reversed));
    }
    quads[q] = v;
    for (var j = 0u; j < 4u; j++) {
      let at = (q * 4u + j) * 6u;
      triangles[at] = vec4u(v[j], v[(j + 1u) & 3u], center, 0u);
      triangles[at + 1u] = vec4u(beyond[j], v[(j + 2u) & 3u], v[(j + 3u) & 3u], 0u);
    }
  }
}

@compute @workgroup_size(64)
fn centers(
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
    let center = offsets[params.samples + item] + crossingRank(entry, axis);
    let q = center - offsets[params.samples];
    if (q >= params.quads || center >= params.vertices + params.quads) {
      return;
    }
    var gamma : vec4f;
    for (var k = 0u; k < 4u; k++) {
      gamma[k] = weights[cellAround(item, axis, k) * CELL_WEIGHTS + 20u];
    }
    // Share of the diagonal between the first and the third cell: γ₀γ₂ / (γ₀γ₂ + γ₁γ₃).
    let w = 1.0 / (1.0 + exp(gamma.y + gamma.w - gamma.x - gamma.z));
    let v = quadsIn[q];
    for (var c = 0u; c < 3u; c++) {
      positions[center * 3u + c] = mix(
        positions[v.y * 3u + c] + positions[v.w * 3u + c],
        positions[v.x * 3u + c] + positions[v.z * 3u + c],
        w,
      ) * 0.5;
    }
    attributes[center] = mix(attributes[v.y] + attributes[v.w], attributes[v.x] + attributes[v.z], w) * 0.5;
    quadWeights[q] = vec2f(w, 0.0);
  }
}
