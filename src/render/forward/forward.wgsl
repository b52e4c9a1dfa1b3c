// Shading of one view: metallic-roughness with split-sum environment light, unlit, clay, and views of the raw data.
// Colour output is linear; alpha is 1 where there is surface, so that the target is premultiplied.

struct View {
  worldToClip : mat4x4f,
  worldToCamera : mat4x4f,
  eye : vec3f,
  mode : u32,
  // cos, sin of the environment's rotation about +Y, exposure, specular levels − 1.
  light : vec4f,
  // Nearest and farthest depth of the bounds, unused, flags (see below).
  depth : vec4f,
};

const HAS_ORM : u32 = 1u;
const HAS_NORMAL_MAP : u32 = 2u;
const HAS_TANGENTS : u32 = 4u;
const TONE_MAP : u32 = 8u;

const MODE_NORMALS : u32 = 0u;
const MODE_DEPTH : u32 = 1u;
const MODE_UV : u32 = 2u;
const MODE_BASE_COLOR : u32 = 3u;
const MODE_ROUGHNESS : u32 = 4u;
const MODE_METALLIC : u32 = 5u;

@group(0) @binding(0) var<uniform> view : View;
@group(1) @binding(0) var baseColorMap : texture_2d<f32>;
@group(1) @binding(1) var ormMap : texture_2d<f32>;
@group(1) @binding(2) var normalMap : texture_2d<f32>;
@group(1) @binding(3) var surfaceSampler : sampler;
@group(2) @binding(0) var specularMap : texture_cube<f32>;
@group(2) @binding(1) var irradianceMap : texture_cube<f32>;
@group(2) @binding(2) var brdfMap : texture_2d<f32>;
@group(2) @binding(3) var lightSampler : sampler;

struct VertexIn {
  @location(0) position : vec3f,
  @location(1) normal : vec3f,
  @location(2) uv : vec2f,
  @location(3) tangent : vec4f,
  @location(4) openness : f32,
};

struct Fragment {
  @builtin(position) clip : vec4f,
  @location(0) world : vec3f,
  @location(1) normal : vec3f,
  @location(2) uv : vec2f,
  @location(3) tangent : vec4f,
  @location(4) openness : f32,
};

@vertex
fn vertex(v : VertexIn) -> Fragment {
  var out : Fragment;
  out.clip = view.worldToClip * vec4f(v.position, 1.0);
  out.world = v.position;
  out.normal = v.normal;
  out.uv = v.uv;
  out.tangent = v.tangent;
  out.openness = v.openness;
  return out;
}

fn flags() -> u32 {
  return u32(view.depth.w);
}

// The unit normal on the side that is seen.
fn facingNormal(f : Fragment, front : bool) -> vec3f {
  let n = f.normal / max(length(f.normal), 1e-12);
  return select(-n, n, front);
}

// sRGB-encoded value to linear, so that data shown as a picture comes out of the sRGB encoding unchanged.
fn decode(c : vec3f) -> vec3f {
  let v = clamp(c, vec3f(0.0), vec3f(1.0));
  return select(pow((v + 0.055) / 1.055, vec3f(2.4)), v / 12.92, v <= vec3f(0.04045));
}

// Linear below 0.6, then a rational shoulder that reaches 1 only at infinity: highlights keep their form.
fn shoulder(c : vec3f) -> vec3f {
  let k = 0.6;
  let x = max(c - k, vec3f(0.0));
  let rolled = k + (1.0 - k) * x / (x + (1.0 - k));
  return select(rolled, c, c <= vec3f(k));
}

@fragment
fn unlit(f : Fragment) -> @location(0) vec4f {
  return vec4f(textureSample(baseColorMap, surfaceSampler, f.uv).rgb, 1.0);
}

fn rotated(d : vec3f) -> vec3f {
  let c = view.light.x;
  let s = view.light.y;
  return vec3f(c * d.x + s * d.z, d.y, -s * d.x + c * d.z);
}

fn shadingNormal(f : Fragment, front : bool) -> vec3f {
  let n = facingNormal(f, front);
  let texel = textureSample(normalMap, surfaceSampler, f.uv).xyz * 2.0 - 1.0;
  let dp1 = dpdx(f.world);
  let dp2 = dpdy(f.world);
  let duv1 = dpdx(f.uv);
  let duv2 = dpdy(f.uv);
  if ((flags() & HAS_NORMAL_MAP) == 0u) {
    return n;
  }
  var t : vec3f;
  var b : vec3f;
  if ((flags() & HAS_TANGENTS) != 0u) {
    t = f.tangent.xyz;
    b = cross(f.normal, t) * f.tangent.w;
  } else {
    // Cotangent frame (Schüler 2013): the directions in which u grows and v falls. The target's y runs down.
    let side = select(-1.0, 1.0, dot(cross(dp1, dp2), n) > 0.0);
    let p2 = cross(dp2, n) * side;
    let p1 = cross(n, dp1) * side;
    t = p2 * duv1.x + p1 * duv2.x;
    b = -(p2 * duv1.y + p1 * duv2.y);
    let s = inverseSqrt(max(max(dot(t, t), dot(b, b)), 1e-30));
    t *= s;
    b *= s;
  }
  let m = t * texel.x + b * texel.y + n * texel.z;
  let l = length(m);
  return select(n, m / l, l > 1e-6);
}

@fragment
fn lit(f : Fragment, @builtin(front_facing) front : bool) -> @location(0) vec4f {
  let base = textureSample(baseColorMap, surfaceSampler, f.uv).rgb;
  let orm = textureSample(ormMap, surfaceSampler, f.uv).rgb;
  let n = shadingNormal(f, front);
  let v = normalize(view.eye - f.world);
  let hasOrm = (flags() & HAS_ORM) != 0u;
  let occlusion = select(1.0, orm.r, hasOrm);
  let roughness = clamp(select(1.0, orm.g, hasOrm), 0.0, 1.0);
  let metallic = select(0.0, orm.b, hasOrm);
  let nv = clamp(dot(n, v), 1e-3, 1.0);
  let f0 = mix(vec3f(0.04), base, metallic);
  let ab = textureSampleLevel(brdfMap, lightSampler, vec2f(nv, roughness), 0.0).rg;
  let irradiance = textureSampleLevel(irradianceMap, lightSampler, rotated(n), 0.0).rgb;
  let specular = textureSampleLevel(specularMap, lightSampler, rotated(reflect(-v, n)), roughness * view.light.w).rgb;
  let diffuse = base * (1.0 - metallic) * irradiance * occlusion;
  var color = (diffuse + specular * (f0 * ab.x + ab.y) * occlusion) * view.light.z;
  if ((flags() & TONE_MAP) != 0u) {
    color = shoulder(color);
  }
  return vec4f(color, 1.0);
}

// Matte grey under a soft sky, a warm ground and one broad key light that follows the camera.
@fragment
fn clay(f : Fragment, @builtin(front_facing) front : bool) -> @location(0) vec4f {
  let n = facingNormal(f, front);
  let right = vec3f(view.worldToCamera[0].x, view.worldToCamera[1].x, view.worldToCamera[2].x);
  let up = vec3f(view.worldToCamera[0].y, view.worldToCamera[1].y, view.worldToCamera[2].y);
  let back = vec3f(view.worldToCamera[0].z, view.worldToCamera[1].z, view.worldToCamera[2].z);
  let key = normalize(-0.55 * right + 0.75 * up + 0.65 * back);
  let rim = normalize(0.9 * right + 0.35 * up - 0.35 * back);
  let sky = mix(vec3f(0.13, 0.12, 0.115), vec3f(0.40, 0.41, 0.43), 0.5 + 0.5 * n.y);
  let wrapped = clamp((dot(n, key) + 0.25) / 1.25, 0.0, 1.0);
  let edge = pow(clamp(dot(n, rim), 0.0, 1.0), 2.0);
  let open = f.openness;
  let light = sky * open + vec3f(0.62, 0.60, 0.58) * wrapped * wrapped * mix(open, 1.0, 0.35) + vec3f(0.10, 0.11, 0.13)
    * edge * open;
  return vec4f(light * vec3f(0.80, 0.79, 0.775), 1.0);
}

@fragment
fn data(f : Fragment, @builtin(front_facing) front : bool) -> @location(0) vec4f {
  let base = textureSample(baseColorMap, surfaceSampler, f.uv).rgb;
  let orm = textureSample(ormMap, surfaceSampler, f.uv).rgb;
  let hasOrm = (flags() & HAS_ORM) != 0u;
  var color = vec3f(0.0);
  switch view.mode {
    case MODE_NORMALS: { color = decode(facingNormal(f, front) * 0.5 + 0.5); }
    case MODE_DEPTH: {
      let d = -(view.worldToCamera * vec4f(f.world, 1.0)).z;
      color = decode(vec3f(1.0 - 0.9 * (d - view.depth.x) / (view.depth.y - view.depth.x)));
    }
    case MODE_UV: { color = decode(vec3f(fract(f.uv), 0.0)); }
    case MODE_BASE_COLOR: { color = base; }
    case MODE_ROUGHNESS: { color = decode(vec3f(select(1.0, orm.g, hasOrm))); }
    default: { color = decode(vec3f(select(0.0, orm.b, hasOrm))); }
  }
  return vec4f(color, 1.0);
}
