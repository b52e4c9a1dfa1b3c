// The few colours that a surface is mostly made of, on the device. `clusters` holds, 8 of each: linear colours; mean
// roughness and metallic with what these rest on; moments of the shared gloss (first roughness, first metallic, second,
// second); its last shift (xy) and number of steps (z); then sums of each of 64 × 64 threads, two per colour.

@group(0) @binding(2) var<storage, read_write> clusters : array<vec4f>;

const COLORS : u32 = 8u;
const MEANS : u32 = 8u;
const MOMENTS : u32 = 16u;
const SHIFTS : u32 = 24u;
const SUMS : u32 = 32u;
const GROUPS : u32 = 64u;
// Distance in cube roots at which a colour is half like another.
const PALETTE_REACH : f32 = 0.08;

struct Nearest {
  index : u32,
  // 1 where the colour is met, less the farther it is.
  likeness : f32,
};

fn nearestColor(color : vec3f) -> Nearest {
  let bent = pow(max(color, vec3f(0.0)), vec3f(1.0 / 3.0));
  var least = 1e9;
  var index = 0u;
  for (var k = 0u; k < params.colors; k++) {
    let d = bent - pow(clusters[k].rgb, vec3f(1.0 / 3.0));
    if (dot(d, d) < least) {
      least = dot(d, d);
      index = k;
    }
  }
  return Nearest(index, 1.0 / (1.0 + least / (PALETTE_REACH * PALETTE_REACH)));
}

// Place of a thread's sum of colour k, `part` 0 or 1.
fn sumAt(k : u32, part : u32, thread : u32) -> u32 {
  return SUMS + ((k * 2u + part) * GROUPS * 64u) + thread;
}
