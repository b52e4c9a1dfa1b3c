// #include "../geometry/barycentric.wgsl"
// #include "shading.wgsl"

@group(0) @binding(6) var<storage, read> colorGradient : array<vec4f>;
@group(0) @binding(7) var<storage, read_write> texelGradients : array<atomic<i32>>;
@group(0) @binding(8) var<storage, read_write> scatter : array<atomic<i32>>;

// One addition may not pass a sixteenth of the range: a single wild pixel cannot wrap an element around.
const LIMIT : f32 = 134217728.0;

fn addScatter(at : u32, value : f32) {
  let q = i32(round(clamp(value, -LIMIT, LIMIT)));
  if (q != 0) {
    atomicAdd(&scatter[at], q);
  }
}

fn addTexel(at : u32, value : vec4f) {
  let q = vec4i(round(clamp(value, vec4f(-LIMIT), vec4f(LIMIT))));
  for (var c = 0u; c < 4u; c++) {
    if (q[c] != 0) {
      atomicAdd(&texelGradients[at + c], q[c]);
    }
  }
}

fn scatterTexels(t : Taps, share : f32, g0 : vec4f, g1 : vec4f) {
  // Tiles of all levels cover 8 × 8 texels of level 0, or one texel where that is larger.
  let shift = 3u - min(t.level, 3u);
  let across = ((u32(t.size.x) - 1u) >> shift) + 1u;
  let tiles = params.flagOffset + params.tileOffsets[t.level / 4u][t.level % 4u];
  for (var k = 0u; k < 4u; k++) {
    let w = tapWeight(t.f, k) * share * params.texelScale;
    addTexel(t.index[k] * 4u, g0 * w);
    addTexel(t.index[k] * 4u + 4u, g1 * w);
    atomicStore(&scatter[tiles + (t.texel[k].y >> shift) * across + (t.texel[k].x >> shift)], 1);
  }
}

fn scatterLight(c : CubeTaps, g : vec3f) {
  let factor = params.lightScale * f32(params.lightStride);
  for (var k = 0u; k < 4u; k++) {
    let w = g * (tapWeight(c.f, k) * factor);
    let at = params.lightOffset + c.index[k] * 4u;
    addScatter(at, w.r);
    addScatter(at + 1u, w.g);
    addScatter(at + 2u, w.b);
  }
}

// Gradient of a fetch to uv, for one half of the channels.
fn uvGradient(t : Taps, part : u32, g : vec4f) -> vec2f {
  let v0 = dot(texels[t.index[0] + part], g);
  let v1 = dot(texels[t.index[1] + part], g);
  let v2 = dot(texels[t.index[2] + part], g);
  let v3 = dot(texels[t.index[3] + part], g);
  return vec2f(mix(v1 - v0, v3 - v2, t.f.y), mix(v2 - v0, v3 - v1, t.f.x)) * t.size;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.width * params.height * params.views) {
    return;
  }
  let id = ids[i];
  let g = colorGradient[i].rgb;
  if (id == 0u || all(g == vec3f(0.0))) {
    return;
  }
  let h = hitAt(i, id);
  let b = h.bary.b;
  let level = min(u32(h.lod), params.texLevels - 1u);
  let share = h.lod - f32(level);
  let taps = tapsAt(h.uv, level);
  var coarse = taps;
  var m0 = fetch(taps, 0u);
  var m1 = fetch(taps, 1u);
  if (share > 0.0) {
    coarse = tapsAt(h.uv, level + 1u);
    m0 = mix(m0, fetch(coarse, 0u), share);
    m1 = mix(m1, fetch(coarse, 1u), share);
  }

  // Gradients of the eight channels and of the weights of the three corners.
  var g0 = vec4f(g, 0.0);
  var g1 = vec4f(0.0);
  var gb = vec3f(0.0);
  if ((params.flags & LIT) != 0u) {
    let base = m0.rgb;
    let metallic = m1.y;
    let s = shadingAt(h, i, id, m1.x, m1.zw);
    let f0 = mix(vec3f(0.04), base, metallic);
    let f = f0 * s.brdf.ab.x + s.brdf.ab.y;
    let light0 = mix(s.specular0, s.specular1, s.specularShare);
    let diffuse = base * (1.0 - metallic) * s.irradiance;
    let go = g * m0.a;
    let gSpecular = go * f;
    let gf = go * light0;
    let gIrradiance = go * base * (1.0 - metallic);
    let gDiffuse = go * s.irradiance;
    let gA = dot(gf, f0);
    let gB = gf.r + gf.g + gf.b;
    let roughnessInside = f32(m1.x > 0.0 && m1.x < 1.0);
    let gRoughness = (gA * s.brdf.dRoughness.x + gB * s.brdf.dRoughness.y) + 5.0 * dot(gSpecular, s.specular1
      - s.specular0) * roughnessInside;
    g0 = vec4f(gDiffuse * (1.0 - metallic) + gf * s.brdf.ab.x * metallic, dot(g, diffuse + light0 * f));
    let gMetallic = dot(gf, base - 0.04) * s.brdf.ab.x - dot(gDiffuse, base);

    if ((params.flags & TO_LIGHT) != 0u && (i / 64u) % params.lightStride == params.lightFirst) {
      scatterLight(s.irradianceTaps, gIrradiance);
      scatterLight(s.taps0, gSpecular * (1.0 - s.specularShare));
      scatterLight(s.taps1, gSpecular * s.specularShare);
    }

    // To the shading normal: through irradiance, reflection and the cosine.
    var gn = cubeDirectionGradient(s.irradianceTaps, gIrradiance);
    let gr = cubeDirectionGradient(s.taps0, gSpecular * (1.0 - s.specularShare)) + cubeDirectionGradient(s.taps1,
      gSpecular * s.specularShare);
    let nv = dot(s.n, s.v);
    gn += 2.0 * (dot(s.n, gr) * s.v + nv * gr);
    if (nv > MIN_COSINE && nv < 1.0) {
      gn += (gA * s.brdf.dCosine.x + gB * s.brdf.dCosine.y) * s.v;
    }
    let gm = (gn - s.n * dot(s.n, gn)) / s.mappedLength;
    g1 = vec4f(gRoughness, gMetallic, dot(gm, s.tangent), dot(gm, s.bitangent));

    if ((params.flags & TO_GEOMETRY) != 0u) {
      let gBitangent = gm * (m1.w * s.handedness);
      let gTangent = gm * m1.z + cross(gBitangent, s.normal);
      let gNormal = cross(s.tangent, gBitangent) + (gm - s.smoothNormal * dot(s.smoothNormal, gm))
        * (s.facing / max(length(s.normal), 1e-12));
      let t = (id - 1u) * 6u;
      for (var k = 0u; k < 3u; k++) {
        let record = h.base + h.corners[k] * 2u;
        gb[k] += dot(vertices[record + 1u].xyz, gNormal) + dot(bitcast<vec3f>(triangles[t + 2u + k].xyz), gTangent);
        let at = (record - params.offset) * 4u + 4u;
        let gk = gNormal * (b[k] * params.normalScale);
        addScatter(at, gk.x);
        addScatter(at + 1u, gk.y);
        addScatter(at + 2u, gk.z);
      }
    }
  }

  if ((params.flags & TO_MATERIAL) != 0u) {
    scatterTexels(taps, 1.0 - share, g0, g1);
    if (share > 0.0) {
      scatterTexels(coarse, share, g0, g1);
    }
  }
  if ((params.flags & TO_GEOMETRY) != 0u) {
    var guv = (uvGradient(taps, 0u, g0) + uvGradient(taps, 1u, g1)) * (1.0 - share);
    if (share > 0.0) {
      guv += (uvGradient(coarse, 0u, g0) + uvGradient(coarse, 1u, g1)) * share;
    }
    gb += vec3f(dot(h.uvs[0], guv), dot(h.uvs[1], guv), dot(h.uvs[2], guv));
    let gc = barycentricGradient(h.bary, h.p, gb);
    for (var k = 0u; k < 3u; k++) {
      var gk = gc.g0;
      if (k == 1u) { gk = gc.g1; }
      if (k == 2u) { gk = gc.g2; }
      let at = (h.base + h.corners[k] * 2u - params.offset) * 4u;
      addScatter(at, gk.x * params.clipScale);
      addScatter(at + 1u, gk.y * params.clipScale);
      addScatter(at + 2u, gk.z * params.clipScale);
    }
  }
}
