// Cube maps: faces +x −x +y −y +z −z in WebGPU's layout.

struct FacePoint {
  face : u32,
  major : f32,
  st : vec2f,
};

// The face that a direction meets, and where.
fn project(d : vec3f) -> FacePoint {
  let a = abs(d);
  if (a.x >= a.y && a.x >= a.z) {
    return FacePoint(select(1u, 0u, d.x > 0.0), a.x, vec2f(select(d.z, -d.z, d.x > 0.0), -d.y) / a.x);
  }
  if (a.y >= a.z) {
    return FacePoint(select(3u, 2u, d.y > 0.0), a.y, vec2f(d.x, select(-d.z, d.z, d.y > 0.0)) / a.y);
  }
  return FacePoint(select(5u, 4u, d.z > 0.0), a.z, vec2f(select(-d.x, d.x, d.z > 0.0), -d.y) / a.z);
}

// From the face's own axes (along s, along t, outwards) to space.
fn unfold(face : u32, v : vec3f) -> vec3f {
  switch face {
    case 0u: { return vec3f(v.z, -v.y, -v.x); }
    case 1u: { return vec3f(-v.z, -v.y, v.x); }
    case 2u: { return vec3f(v.x, v.z, v.y); }
    case 3u: { return vec3f(v.x, -v.z, -v.y); }
    case 4u: { return vec3f(v.x, -v.y, v.z); }
    default: { return vec3f(-v.x, -v.y, -v.z); }
  }
}

// Number of a face's texel; up to one beyond its rim it is the neighbouring face's.
fn cubeTexel(face : u32, at : vec2i, width : u32) -> u32 {
  let size = i32(width);
  var f = face;
  var p = at;
  if (any(at < vec2i(0)) || any(at >= vec2i(size))) {
    let st = (vec2f(at) + 0.5) * 2.0 / f32(size) - 1.0;
    let other = project(unfold(face, vec3f(st, 1.0)));
    f = other.face;
    p = clamp(vec2i(floor((other.st + 1.0) * 0.5 * f32(size))), vec2i(0), vec2i(size - 1));
  }
  return (f * width + u32(p.y)) * width + u32(p.x);
}
