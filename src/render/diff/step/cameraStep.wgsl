// Cameras that move: pose and focal length from their gradient, by Adam, and the records that drawing reads.

struct Params {
  count : u32,
  // First view of the camera buffer among all views of the base and the state.
  first : u32,
  turnRate : f32,
  shiftRate : f32,
  focalRate : f32,
  // Share of what was moved so far that is taken back in every step.
  pull : f32,
  unused0 : u32,
  unused1 : u32,
  indices : array<vec4u, 4>,
};

@group(0) @binding(0) var<uniform> params : Params;
// Eight vec4f per view: world-to-camera (4 columns); projection (p0, p5, p8, p9); (p10, p14, 0, 0); pivot in camera
// axes; zeros.
@group(0) @binding(1) var<storage, read> base : array<vec4f>;
// Six vec4f per view: turn (quaternion); shift and the logarithm of the focal length's factor; first moments of turn,
// of shift and focal; second ones.
@group(0) @binding(2) var<storage, read_write> state : array<vec4f>;
@group(0) @binding(3) var<storage, read_write> cameras : array<vec4f>;
@group(0) @binding(4) var<storage, read> gradient : array<f32>;

const BETA1 : f32 = 0.9;
const BETA2 : f32 = 0.95;

fn turned(q : vec4f, v : vec3f) -> vec3f {
  return v + 2.0 * cross(q.xyz, cross(q.xyz, v) + q.w * v);
}

fn product(a : vec4f, b : vec4f) -> vec4f {
  return vec4f(a.w * b.xyz + b.w * a.xyz + cross(a.xyz, b.xyz), a.w * b.w - dot(a.xyz, b.xyz));
}

// The turn by a rotation vector.
fn exponential(v : vec3f) -> vec4f {
  let angle = length(v);
  let s = select(0.5, sin(angle * 0.5) / angle, angle > 1e-6);
  return vec4f(v * s, cos(angle * 0.5));
}

// World-to-camera as moved: turned about the pivot, then shifted.
fn moved(view : u32) -> mat4x3f {
  let q = state[view * 6u];
  let shift = state[view * 6u + 1u].xyz;
  let at = view * 8u;
  let pivot = base[at + 6u].xyz;
  return mat4x3f(turned(q, base[at].xyz), turned(q, base[at + 1u].xyz), turned(q, base[at + 2u].xyz), turned(q, base[at
    + 3u].xyz - pivot) + pivot + shift);
}

fn compose(view : u32, slot : u32) {
  let m = moved(view);
  let p = base[view * 8u + 4u];
  let depth = base[view * 8u + 5u].xy;
  let focal = exp(state[view * 6u + 1u].w);
  let p0 = p.x * focal;
  let p5 = p.y * focal;
  let at = slot * 8u;
  for (var c = 0u; c < 4u; c++) {
    let v = m[c];
    let last = select(0.0, depth.y, c == 3u);
    cameras[at + c] = vec4f(p0 * v.x + p.z * v.z, p5 * v.y + p.w * v.z, depth.x * v.z + last, -v.z);
  }
  // Rows of the rotation are the camera's axes in the world.
  let x = vec3f(m[0].x, m[1].x, m[2].x);
  let y = vec3f(m[0].y, m[1].y, m[2].y);
  let z = vec3f(m[0].z, m[1].z, m[2].z);
  cameras[at + 4u] = vec4f(-(x * m[3].x + y * m[3].y + z * m[3].z), 0.0);
  cameras[at + 5u] = vec4f(x * (p.z / p0) + y * (p.w / p5) - z, 0.0);
  cameras[at + 6u] = vec4f(x / p0, 0.0);
  cameras[at + 7u] = vec4f(y / p5, 0.0);
}

@compute @workgroup_size(64)
fn composeAll(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let slot = group.x * 64u + local;
  if (slot < params.count) {
    compose(params.first + slot, slot);
  }
}

@compute @workgroup_size(16)
fn step(@builtin(local_invocation_index) n : u32) {
  if (n >= params.count) {
    return;
  }
  let slot = params.indices[n / 4u][n % 4u];
  let view = params.first + slot;
  let at = view * 6u;
  let m = moved(view);
  let p = base[view * 8u + 4u];
  let focal = exp(state[at + 1u].w);
  let center = base[view * 8u + 6u].xyz + state[at + 1u].xyz;
  // Gradient of world-to-camera (its rows are x, y, z) from that of world-to-clip.
  var turn = vec3f(0.0);
  var shift = vec3f(0.0);
  var zoom = 0.0;
  for (var c = 0u; c < 4u; c++) {
    let i = slot * 16u + c * 4u;
    let g = vec3f(gradient[i], gradient[i + 1u], gradient[i + 3u]);
    let toCamera = vec3f(g.x * p.x * focal, g.y * p.y * focal, g.x * p.z + g.y * p.w - g.z);
    var arm = m[c];
    if (c == 3u) {
      arm -= center;
      shift = toCamera;
    }
    turn += cross(arm, toCamera);
    zoom += focal * (g.x * p.x * m[c].x + g.y * p.y * m[c].y);
  }
  let g0 = vec4f(turn, 0.0);
  let g1 = vec4f(shift, zoom);
  // The number of steps taken is in the fourth number of the turn's moments.
  let steps = state[at + 2u].w + 1.0;
  let m0 = mix(g0, vec4f(state[at + 2u].xyz, 0.0), BETA1);
  let m1 = mix(g1, state[at + 3u], BETA1);
  let v0 = mix(g0 * g0, state[at + 4u], BETA2);
  let v1 = mix(g1 * g1, state[at + 5u], BETA2);
  state[at + 2u] = vec4f(m0.xyz, steps);
  state[at + 3u] = m1;
  state[at + 4u] = v0;
  state[at + 5u] = v1;
  let correction = sqrt(1.0 - pow(BETA2, steps)) / (1.0 - pow(BETA1, steps));
  let d0 = m0.xyz / (sqrt(v0.xyz) + 1e-8) * correction;
  let d1 = m1 / (sqrt(v1) + vec4f(1e-8)) * correction;
  var q = product(exponential(-params.turnRate * d0), state[at]);
  // A small turn's vector shrinks with the vector part of its quaternion.
  q = vec4f(q.xyz * (1.0 - params.pull), q.w);
  state[at] = q / length(q);
  let rest = state[at + 1u] - vec4f(vec3f(params.shiftRate), params.focalRate) * d1;
  state[at + 1u] = rest * (1.0 - params.pull);
  compose(view, slot);
}
