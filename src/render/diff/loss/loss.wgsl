// Image and silhouette loss of antialiased views against 8-bit targets, its gradient, and sums per view in fixed point.

struct Params {
  width : u32,
  height : u32,
  views : u32,
  squared : u32,
  space : u32,
  image : f32,
  silhouette : f32,
  minimumAlpha : f32,
  background : f32,
  sumScale : f32,
  indices : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var<storage, read> antialiased : array<vec4f>;
@group(0) @binding(2) var<storage, read> targets : array<u32>;
@group(0) @binding(3) var<storage, read_write> gradient : array<vec4f>;
@group(0) @binding(4) var<storage, read_write> sums : array<atomic<i32>>;

const SRGB : u32 = 1u;
const LOG_SRGB : u32 = 2u;
// Pixels of one thread, 64 apart.
const RUN : u32 = 16u;
const LAST_STEP : f32 = 0.998;
const LEAST_ALPHA : f32 = 0.01;

fn decode(c : vec3f) -> vec3f {
  return select(pow((c + 0.055) / 1.055, vec3f(2.4)), c / 12.92, c <= vec3f(0.04045));
}

// sRGB curve, continued beyond 1 by its tangent so that what is too bright can still be pulled down.
fn encode(c : vec3f) -> vec3f {
  let low = clamp(c, vec3f(0.0), vec3f(1.0));
  let curve = select(1.055 * pow(low, vec3f(1.0 / 2.4)) - 0.055, low * 12.92, low <= vec3f(0.0031308));
  return curve + max(c - 1.0, vec3f(0.0)) * (1.055 / 2.4);
}

fn encodeSlope(c : vec3f) -> vec3f {
  let low = clamp(c, vec3f(0.0031308), vec3f(1.0));
  return select(1.055 / 2.4 * pow(low, vec3f(1.0 / 2.4 - 1.0)), vec3f(12.92), c <= vec3f(0.0031308));
}

fn mapped(c : vec3f) -> vec3f {
  if (params.space == SRGB) {
    return encode(c);
  }
  if (params.space == LOG_SRGB) {
    return encode(log(1.0 + max(c, vec3f(0.0))));
  }
  return c;
}

fn mappedSlope(c : vec3f) -> vec3f {
  if (params.space == SRGB) {
    return encodeSlope(c);
  }
  if (params.space == LOG_SRGB) {
    let x = max(c, vec3f(0.0));
    return encodeSlope(log(1.0 + x)) / (1.0 + x);
  }
  return vec3f(1.0);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let pixels = params.width * params.height;
  let runs = (pixels + 64u * RUN - 1u) / (64u * RUN);
  let index = group.y * groups.x + group.x;
  let n = index / runs;
  if (n >= params.views) {
    return;
  }
  let view = params.indices[n / 4u][n % 4u];
  var image = 0.0;
  var silhouette = 0.0;
  var squares = 0.0;
  for (var k = 0u; k < RUN; k++) {
    let pixel = (index % runs) * 64u * RUN + k * 64u + local;
    if (pixel >= pixels) {
      break;
    }
    let at = n * pixels + pixel;
    let seen = antialiased[at];
    let wanted = unpack4x8unorm(targets[view * pixels + pixel]);
    if (all(seen == vec4f(0.0)) && wanted.a == 0.0) {
      gradient[at] = vec4f(0.0);
      continue;
    }
    var g = vec4f(0.0);
    if (wanted.a > params.minimumAlpha) {
      // Both lie over the background as pictures do: by their encoded values. Coverage in front of the curve would let
      // the dark side of a soft outline weigh more than the light one, and objects would grow.
      let alpha = max(seen.a, LEAST_ALPHA);
      let own = seen.rgb / alpha;
      let shown = mapped(own);
      var difference = (shown - params.background) * seen.a - (mapped(decode(wanted.rgb)) - params.background)
        * wanted.a;
      if (params.space == SRGB || params.space == LOG_SRGB) {
        // A saturated value says "at least this much".
        difference = select(difference, vec3f(0.0), (wanted.rgb
          * wanted.a >= vec3f(LAST_STEP)) & (seen.rgb >= vec3f(1.0)));
      }
      var direction = sign(difference);
      if (params.squared == 1u) {
        image += dot(difference, difference);
        direction = 2.0 * difference;
      } else {
        image += dot(abs(difference), vec3f(1.0));
      }
      let slope = mappedSlope(own) * (seen.a / alpha);
      let toAlpha = shown - params.background - select(vec3f(0.0), slope * own, seen.a >= LEAST_ALPHA);
      g = params.image * vec4f(direction * slope, dot(direction, toAlpha));
    }
    let cover = seen.a - wanted.a;
    silhouette += cover * cover;
    g.a += 2.0 * params.silhouette * cover;
    gradient[at] = g;
    let alpha = clamp(seen.a, 0.0, 1.0);
    let shown = clamp(encode(clamp(seen.rgb / max(seen.a, 1e-6), vec3f(0.0), vec3f(1.0))), vec3f(0.0), vec3f(1.0))
      * alpha + (1.0 - alpha);
    let e = shown - (wanted.rgb * wanted.a + (1.0 - wanted.a));
    squares += dot(e, e);
  }
  let q = vec3i(round(vec3f(image * params.image, silhouette * params.silhouette, squares) * params.sumScale));
  for (var c = 0u; c < 3u; c++) {
    if (q[c] != 0) {
      atomicAdd(&sums[n * 4u + c], q[c]);
    }
  }
}
