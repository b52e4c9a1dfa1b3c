// A surface point: position and a unit normal packed by octahedral mapping. `NOWHERE` marks a texel without surface.

const NOWHERE : u32 = 0xffffffffu;

struct Point {
  position : vec3f,
  normal : u32,
};

fn packNormal(n : vec3f) -> u32 {
  let a = n / max(abs(n.x) + abs(n.y) + abs(n.z), 1e-12);
  let wrapped = (1.0 - abs(a.yx)) * select(vec2f(-1.0), vec2f(1.0), a.xy >= vec2f(0.0));
  return pack2x16snorm(select(wrapped, a.xy, a.z >= 0.0));
}

fn unpackNormal(packed : u32) -> vec3f {
  let e = unpack2x16snorm(packed);
  let z = 1.0 - abs(e.x) - abs(e.y);
  let wrapped = (1.0 - abs(e.yx)) * select(vec2f(-1.0), vec2f(1.0), e >= vec2f(0.0));
  return normalize(vec3f(select(wrapped, e, z >= 0.0), z));
}
