// Split-sum environment light (Karis 2013): one cube face at one roughness, from an equirectangular map with mip
// levels.

struct Params {
  face : u32,
  roughness : f32,
  samples : u32,
  size : f32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var environment : texture_2d<f32>;
@group(0) @binding(2) var environmentSampler : sampler;

const PI = 3.14159265358979;

@vertex
fn vertex(@builtin(vertex_index) i : u32) -> @builtin(position) vec4f {
  return vec4f(vec2f(f32((i << 1u) & 2u), f32(i & 2u)) * 2.0 - 1.0, 0.0, 1.0);
}

// The direction through a point of a cube face, s and t in −1…1 (Vulkan's face layout).
fn direction(face : u32, s : f32, t : f32) -> vec3f {
  switch face {
    case 0u: { return normalize(vec3f(1.0, -t, -s)); }
    case 1u: { return normalize(vec3f(-1.0, -t, s)); }
    case 2u: { return normalize(vec3f(s, 1.0, t)); }
    case 3u: { return normalize(vec3f(s, -1.0, -t)); }
    case 4u: { return normalize(vec3f(s, -t, 1.0)); }
    default: { return normalize(vec3f(-s, -t, -1.0)); }
  }
}

fn radiance(d : vec3f, level : f32) -> vec3f {
  let uv = vec2f(0.5 + atan2(d.x, -d.z) / (2.0 * PI), acos(clamp(d.y, -1.0, 1.0)) / PI);
  return textureSampleLevel(environment, environmentSampler, uv, level).rgb;
}

fn radicalInverse(i : u32) -> f32 {
  return f32(reverseBits(i)) * 2.3283064365386963e-10;
}

@fragment
fn fragment(@builtin(position) position : vec4f) -> @location(0) vec4f {
  let st = position.xy / params.size * 2.0 - 1.0;
  let n = direction(params.face, st.x, st.y);
  let texels = vec2f(textureDimensions(environment, 0));
  let texelAngle = 4.0 * PI / (texels.x * texels.y);
  if (params.roughness == 0.0) {
    let faceAngle = 4.0 * PI / (6.0 * params.size * params.size);
    return vec4f(radiance(n, max(0.5 * log2(faceAngle / texelAngle), 0.0)), 1.0);
  }
  let up = select(vec3f(0.0, 1.0, 0.0), vec3f(1.0, 0.0, 0.0), abs(n.y) > 0.9);
  let tangent = normalize(cross(up, n));
  let bitangent = cross(n, tangent);
  let a = params.roughness * params.roughness;
  var sum = vec3f(0.0);
  var weight = 0.0;
  for (var i = 0u; i < params.samples; i++) {
    let phi = 2.0 * PI * (f32(i) + 0.5) / f32(params.samples);
    let x = radicalInverse(i) + 0.5 / f32(params.samples);
    let c2 = (1.0 - x) / (1.0 + (a * a - 1.0) * x);
    let c = sqrt(c2);
    let s = sqrt(max(1.0 - c2, 0.0));
    let h = tangent * (s * cos(phi)) + bitangent * (s * sin(phi)) + n * c;
    let l = 2.0 * dot(n, h) * h - n;
    let nl = dot(n, l);
    if (nl > 0.0) {
      let q = c2 * (a * a - 1.0) + 1.0;
      let density = a * a / (PI * q * q) / 4.0;
      let sampleAngle = 1.0 / (f32(params.samples) * density);
      sum += radiance(l, max(0.5 * log2(sampleAngle / texelAngle) + 0.5, 0.0)) * nl;
      weight += nl;
    }
  }
  return vec4f(sum / max(weight, 1e-6), 1.0);
}
