// Turns a page drawn in texture space into surface points. A texel that is just outside its chart takes the point of
// the nearest texel inside, so that bilinear fetches at chart borders never meet an unrelated colour.

// #include "points.wgsl"

struct Params {
  width : u32,
  height : u32,
  apron : u32,
  ring : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var positions : texture_2d<f32>;
@group(0) @binding(2) var normals : texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> points : array<Point>;
// 1: inside a chart, 0: not, or only in the ring around one.
@group(0) @binding(4) var<storage, read_write> inside : array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.width * params.height) {
    return;
  }
  let here = vec2i(vec2u(i % params.width, i / params.width) + params.apron);
  var best = here;
  var covered = textureLoad(positions, here, 0).w > 0.0;
  inside[i] = select(0u, 1u, covered);
  if (!covered) {
    let r = i32(params.ring);
    var nearest = 1000000;
    for (var y = -r; y <= r; y++) {
      for (var x = -r; x <= r; x++) {
        let d = x * x + y * y;
        if (d < nearest && textureLoad(positions, here + vec2i(x, y), 0).w > 0.0) {
          nearest = d;
          best = here + vec2i(x, y);
          covered = true;
        }
      }
    }
  }
  if (!covered) {
    points[i] = Point(vec3f(0.0), NOWHERE);
    return;
  }
  let packed = packNormal(textureLoad(normals, best, 0).xyz);
  points[i] = Point(textureLoad(positions, best, 0).xyz, select(packed, 0x7fff7fffu, packed == NOWHERE));
}
