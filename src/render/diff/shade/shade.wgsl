// #include "../geometry/barycentric.wgsl"
// #include "shading.wgsl"

@group(0) @binding(6) var<storage, read_write> color : array<vec4f>;

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
  if (id == 0u) {
    color[i] = vec4f(0.0);
    return;
  }
  let h = hitAt(i, id);
  let level = min(u32(h.lod), params.texLevels - 1u);
  let share = h.lod - f32(level);
  let taps = tapsAt(h.uv, level);
  var m0 = fetch(taps, 0u);
  var m1 = fetch(taps, 1u);
  if (share > 0.0) {
    let coarse = tapsAt(h.uv, level + 1u);
    m0 = mix(m0, fetch(coarse, 0u), share);
    m1 = mix(m1, fetch(coarse, 1u), share);
  }
  if ((params.flags & LIT) == 0u) {
    color[i] = vec4f(m0.rgb, 1.0);
    return;
  }
  let metallic = m1.y;
  let s = shadingAt(h, i, id, m1.x, m1.zw);
  let f0 = mix(vec3f(0.04), m0.rgb, metallic);
  let diffuse = m0.rgb * (1.0 - metallic) * s.irradiance;
  let specular = mix(s.specular0, s.specular1, s.specularShare) * (f0 * s.brdf.ab.x + s.brdf.ab.y);
  color[i] = vec4f((diffuse + specular) * m0.a, 1.0);
}
