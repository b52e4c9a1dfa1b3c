// #include "../light/cube.wgsl"
// What a pixel shows: glTF metallic-roughness material under split-sum light (Karis 2013), as in `AssetRenderer`.
// Shared by the forward and the backward kernel, which recomputes instead of storing.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  positions : u32,
  offset : u32,
  texWidth : u32,
  texHeight : u32,
  texLevels : u32,
  flags : u32,
  lodBias : f32,
  flagOffset : u32,
  lightOffset : u32,
  overflowOffset : u32,
  texelScale : f32,
  clipScale : f32,
  normalScale : f32,
  lightScale : f32,
  // The light's gradient is taken from every so-manieth 64 pixels, from `lightFirst` on.
  lightStride : u32,
  lightFirst : u32,
  unused0 : u32,
  lightSizes : array<vec4u, 2>,
  lightOffsets : array<vec4u, 2>,
  levelOffsets : array<vec4u, 4>,
  tileOffsets : array<vec4u, 4>,
};

// Flags.
const LIT : u32 = 1u;
const TO_GEOMETRY : u32 = 2u;
const TO_LIGHT : u32 = 4u;
const TO_MATERIAL : u32 = 8u;
const NEAREST_MIP : u32 = 16u;

const IRRADIANCE : u32 = 6u;
const BRDF : u32 = 7u;
const BRDF_SIZE : f32 = 64.0;
const MIN_COSINE : f32 = 1e-3;
// A triangle seen edge-on would otherwise read, and send gradients to, one texel that stands for the whole texture.
const MAX_LOD : f32 = 5.0;

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> ids : array<u32>;
@group(0) @binding(2) var<storage, read> triangles : array<vec4u>;
@group(0) @binding(3) var<storage, read> vertices : array<vec4f>;
@group(0) @binding(4) var<storage, read> texels : array<vec4f>;
@group(0) @binding(5) var<storage, read> light : array<vec4f>;

// Where a pixel lies on its triangle.
struct Hit {
  corners : vec3u,
  // Record of the view's first vertex.
  base : u32,
  p : vec2f,
  bary : Barycentric,
  uvs : array<vec2f, 3>,
  uv : vec2f,
  lod : f32,
};

fn hitAt(pixel : u32, id : u32) -> Hit {
  var h : Hit;
  let n = pixel / (params.width * params.height);
  let y = pixel / params.width % params.height;
  h.p = pixelCenter(pixel % params.width, y, params.width, params.height);
  h.base = params.offset + n * params.positions * 2u;
  let t = (id - 1u) * 6u;
  h.corners = triangles[t].xyz;
  let c0 = vertices[h.base + h.corners.x * 2u];
  let c1 = vertices[h.base + h.corners.y * 2u];
  let c2 = vertices[h.base + h.corners.z * 2u];
  h.bary = barycentric(h.p, c0, c1, c2);
  let u = vec3f(bitcast<f32>(triangles[t + 2u].w), bitcast<f32>(triangles[t + 3u].w), bitcast<f32>(triangles[t
    + 4u].w));
  let v = bitcast<vec3f>(triangles[t + 5u].xyz);
  h.uvs = array<vec2f, 3>(vec2f(u.x, v.x), vec2f(u.y, v.y), vec2f(u.z, v.z));
  h.uv = vec2f(dot(u, h.bary.b), dot(v, h.bary.b));
  let step = vec2f(2.0, -2.0) / vec2f(f32(params.width), f32(params.height));
  let w = vec3f(c0.w, c1.w, c2.w);
  let dx = barycentricDx(h.bary, w, step);
  let dy = barycentricDy(h.bary, w, step);
  let size = vec2f(f32(params.texWidth), f32(params.texHeight));
  let du = vec2f(dot(u, dx), dot(v, dx)) * size;
  let dv = vec2f(dot(u, dy), dot(v, dy)) * size;
  h.lod = clamp(0.5 * log2(max(max(dot(du, du), dot(dv, dv)), 1e-12)) + params.lodBias, 0.0, min(f32(params.texLevels
    - 1u), MAX_LOD));
  if ((params.flags & NEAREST_MIP) != 0u) {
    h.lod = floor(h.lod + 0.5);
  }
  return h;
}

// Four texels around a point of one level.
struct Taps {
  level : u32,
  texel : array<vec2u, 4>,
  index : array<u32, 4>,
  f : vec2f,
  size : vec2f,
};

fn tapsAt(uv : vec2f, level : u32) -> Taps {
  var t : Taps;
  let size = max(vec2u(params.texWidth, params.texHeight) >> vec2u(level), vec2u(1u));
  t.level = level;
  t.size = vec2f(size);
  let x = (uv - floor(uv)) * t.size - 0.5;
  let corner = floor(x);
  t.f = x - corner;
  let start = params.levelOffsets[level / 4u][level % 4u];
  for (var k = 0u; k < 4u; k++) {
    t.texel[k] = vec2u(vec2i(corner) + vec2i(i32(k & 1u), i32(k >> 1u))) & (size - 1u);
    t.index[k] = (start + t.texel[k].y * size.x + t.texel[k].x) * 2u;
  }
  return t;
}

fn tapWeight(f : vec2f, k : u32) -> f32 {
  return select(1.0 - f.x, f.x, (k & 1u) == 1u) * select(1.0 - f.y, f.y, k >= 2u);
}

fn fetch(t : Taps, part : u32) -> vec4f {
  let top = mix(texels[t.index[0] + part], texels[t.index[1] + part], t.f.x);
  let bottom = mix(texels[t.index[2] + part], texels[t.index[3] + part], t.f.x);
  return mix(top, bottom, t.f.y);
}

// Four texels of a filtered map of the light around a direction. Borders hold the neighbouring faces' texels.
struct CubeTaps {
  index : array<u32, 4>,
  f : vec2f,
  // Half the face size: texels per unit of s and t.
  half : f32,
  at : FacePoint,
};

fn cubeTapsAt(d : vec3f, map : u32) -> CubeTaps {
  var c : CubeTaps;
  c.at = project(d);
  let size = params.lightSizes[map / 4u][map % 4u];
  c.half = f32(size) * 0.5;
  let x = (c.at.st + 1.0) * c.half + 0.5;
  let corner = clamp(floor(x), vec2f(0.0), vec2f(f32(size)));
  c.f = x - corner;
  let row = size + 2u;
  let start = params.lightOffsets[map / 4u][map % 4u] + (c.at.face * row + u32(corner.y)) * row + u32(corner.x);
  c.index = array<u32, 4>(start, start + 1u, start + row, start + row + 1u);
  return c;
}

fn fetchLight(c : CubeTaps) -> vec3f {
  return mix(mix(light[c.index[0]], light[c.index[1]], c.f.x), mix(light[c.index[2]], light[c.index[3]], c.f.x),
    c.f.y).rgb;
}

// Gradient of a fetch, given g = gradient of its result, to the (not normalised) direction.
fn cubeDirectionGradient(c : CubeTaps, g : vec3f) -> vec3f {
  let v0 = dot(light[c.index[0]].rgb, g);
  let v1 = dot(light[c.index[1]].rgb, g);
  let v2 = dot(light[c.index[2]].rgb, g);
  let v3 = dot(light[c.index[3]].rgb, g);
  let gs = mix(v1 - v0, v3 - v2, c.f.y) * c.half / c.at.major;
  let gt = mix(v2 - v0, v3 - v1, c.f.x) * c.half / c.at.major;
  let gm = -(gs * c.at.st.x + gt * c.at.st.y);
  return unfold(c.at.face, vec3f(gs, gt, gm));
}

// Scale and bias of F0 with their changes along cosine and roughness, bilinear in the table.
struct BrdfValue {
  ab : vec2f,
  dCosine : vec2f,
  dRoughness : vec2f,
};

fn brdfAt(cosine : f32, roughness : f32) -> BrdfValue {
  let start = params.lightOffsets[1].w;
  let x = clamp(vec2f(cosine, roughness) * BRDF_SIZE - 0.5, vec2f(0.0), vec2f(BRDF_SIZE - 1.0));
  let corner = min(floor(x), vec2f(BRDF_SIZE - 2.0));
  let f = x - corner;
  let at = start + u32(corner.y) * u32(BRDF_SIZE) + u32(corner.x);
  let v0 = light[at].xy;
  let v1 = light[at + 1u].xy;
  let v2 = light[at + u32(BRDF_SIZE)].xy;
  let v3 = light[at + u32(BRDF_SIZE) + 1u].xy;
  var r : BrdfValue;
  r.ab = mix(mix(v0, v1, f.x), mix(v2, v3, f.x), f.y);
  // Zero where the table is clamped at its rim.
  let inside = vec2f(x > vec2f(0.0)) * vec2f(x < vec2f(BRDF_SIZE - 1.0)) * BRDF_SIZE;
  r.dCosine = mix(v1 - v0, v3 - v2, f.y) * inside.x;
  r.dRoughness = mix(v2 - v0, v3 - v1, f.x) * inside.y;
  return r;
}

// Everything between the texels' values and the colour.
struct Shading {
  // Interpolated normal and tangent, not normalised; bitangent; which way the triangle faces.
  normal : vec3f,
  tangent : vec3f,
  bitangent : vec3f,
  facing : f32,
  handedness : f32,
  // Interpolated normal on the seen side, unit.
  smoothNormal : vec3f,
  // Length of the mapped normal before it is made unit; the shading normal.
  mappedLength : f32,
  n : vec3f,
  v : vec3f,
  cosine : f32,
  brdf : BrdfValue,
  irradianceTaps : CubeTaps,
  irradiance : vec3f,
  reflected : vec3f,
  specularMap : u32,
  specularShare : f32,
  taps0 : CubeTaps,
  taps1 : CubeTaps,
  specular0 : vec3f,
  specular1 : vec3f,
};

fn triangleTangent(t : u32, b : vec3f) -> vec3f {
  return bitcast<vec3f>(triangles[t + 2u].xyz) * b.x + bitcast<vec3f>(triangles[t + 3u].xyz) * b.y
    + bitcast<vec3f>(triangles[t + 4u].xyz) * b.z;
}

fn shadingAt(h : Hit, pixel : u32, id : u32, roughness : f32, slope : vec2f) -> Shading {
  var s : Shading;
  let b = h.bary.b;
  s.normal = vertices[h.base + h.corners.x * 2u + 1u].xyz * b.x + vertices[h.base + h.corners.y * 2u + 1u].xyz * b.y
    + vertices[h.base + h.corners.z * 2u + 1u].xyz * b.z;
  s.facing = select(-1.0, 1.0, h.bary.area > 0.0);
  s.smoothNormal = s.normal * (s.facing / max(length(s.normal), 1e-12));
  let t = (id - 1u) * 6u;
  s.tangent = triangleTangent(t, b);
  s.handedness = bitcast<f32>(triangles[t + 5u].w);
  s.bitangent = cross(s.normal, s.tangent) * s.handedness;
  let mapped = s.smoothNormal + s.tangent * slope.x + s.bitangent * slope.y;
  s.mappedLength = max(length(mapped), 1e-6);
  s.n = mapped / s.mappedLength;
  let view = pixel / (params.width * params.height) * 4u;
  s.v = -normalize(vertices[view].xyz + vertices[view + 1u].xyz * h.p.x + vertices[view + 2u].xyz * h.p.y);
  s.cosine = clamp(dot(s.n, s.v), MIN_COSINE, 1.0);
  s.brdf = brdfAt(s.cosine, roughness);
  s.irradianceTaps = cubeTapsAt(s.n, IRRADIANCE);
  s.irradiance = fetchLight(s.irradianceTaps);
  s.reflected = reflect(-s.v, s.n);
  let step = clamp(roughness, 0.0, 1.0) * 5.0;
  s.specularMap = min(u32(step), 4u);
  s.specularShare = step - f32(s.specularMap);
  s.taps0 = cubeTapsAt(s.reflected, s.specularMap);
  s.taps1 = cubeTapsAt(s.reflected, s.specularMap + 1u);
  s.specular0 = fetchLight(s.taps0);
  s.specular1 = fetchLight(s.taps1);
  return s;
}
