// Perspective-correct barycentric coordinates from homogeneous edge functions (Olano & Greer 1997): no division by w.

struct Barycentric {
  // Weights of the three corners.
  b : vec3f,
  // Sum of the edge functions: positive for a counter-clockwise triangle.
  area : f32,
  q0 : vec2f,
  q1 : vec2f,
  q2 : vec2f,
};

fn cross2(a : vec2f, b : vec2f) -> f32 {
  return a.x * b.y - a.y * b.x;
}

// `p`: pixel centre in normalised device coordinates; c: clip positions. The hardware snaps vertices to a fixed grid,
// so that a centre can lie a little outside of the triangle that it shows: there the weights are clamped, and gradients
// are those of the unclamped ones.
fn barycentric(p : vec2f, c0 : vec4f, c1 : vec4f, c2 : vec4f) -> Barycentric {
  var r : Barycentric;
  r.q0 = c0.xy - p * c0.w;
  r.q1 = c1.xy - p * c1.w;
  r.q2 = c2.xy - p * c2.w;
  let a = vec3f(cross2(r.q1, r.q2), cross2(r.q2, r.q0), cross2(r.q0, r.q1));
  let sum = a.x + a.y + a.z;
  r.area = select(min(sum, -1e-30), max(sum, 1e-30), sum >= 0.0);
  let inside = max(a / r.area, vec3f(0.0));
  r.b = inside / max(inside.x + inside.y + inside.z, 1e-20);
  return r;
}

struct ClipGradient {
  g0 : vec3f,
  g1 : vec3f,
  g2 : vec3f,
};

// Gradient of the weights to (x, y, w) of the three clip positions.
fn barycentricGradient(r : Barycentric, p : vec2f, g : vec3f) -> ClipGradient {
  let h = (g - dot(g, r.b)) / r.area;
  let d0 = h.y * vec2f(-r.q2.y, r.q2.x) + h.z * vec2f(r.q1.y, -r.q1.x);
  let d1 = h.z * vec2f(-r.q0.y, r.q0.x) + h.x * vec2f(r.q2.y, -r.q2.x);
  let d2 = h.x * vec2f(-r.q1.y, r.q1.x) + h.y * vec2f(r.q0.y, -r.q0.x);
  return ClipGradient(vec3f(d0, -dot(p, d0)), vec3f(d1, -dot(p, d1)), vec3f(d2, -dot(p, d2)));
}

// Change of the weights per pixel to the right and per pixel down; `step` = (2 / width, −2 / height).
fn barycentricDx(r : Barycentric, w : vec3f, step : vec2f) -> vec3f {
  let d = vec3f(w.z * r.q1.y - w.y * r.q2.y, w.x * r.q2.y - w.z * r.q0.y, w.y * r.q0.y - w.x * r.q1.y);
  return (d - r.b * (d.x + d.y + d.z)) / r.area * step.x;
}

fn barycentricDy(r : Barycentric, w : vec3f, step : vec2f) -> vec3f {
  let d = vec3f(w.y * r.q2.x - w.z * r.q1.x, w.z * r.q0.x - w.x * r.q2.x, w.x * r.q1.x - w.y * r.q0.x);
  return (d - r.b * (d.x + d.y + d.z)) / r.area * step.y;
}

// Pixel centre in normalised device coordinates.
fn pixelCenter(x : u32, y : u32, width : u32, height : u32) -> vec2f {
  return vec2f((f32(x) + 0.5) * 2.0 / f32(width) - 1.0, 1.0 - (f32(y) + 0.5) * 2.0 / f32(height));
}
