// Triangle numbers from the render target to the frame's buffer.

struct Params {
  width : u32,
  height : u32,
};

@group(0) @binding(0) var<uniform> params : Params;
@group(0) @binding(1) var target_ : texture_2d<u32>;
@group(0) @binding(2) var<storage, read_write> ids : array<u32>;

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
  ids[i] = textureLoad(target_, vec2u(i % params.width, i / params.width), 0).r;
}
