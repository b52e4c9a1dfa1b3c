/**
 * The differentiable renderer's picture in float64, written a second time without regard to speed: what its kernels are
 * proved against. Visibility (`ids`) and mip levels are given, as they are constant for gradients.
 */
export interface ReferenceScene {
  width: number;
  height: number;
  /** World-to-clip (16, columns) and ray vectors a, b, c: the record of 32 per view. */
  cameras: Float64Array;
  views: number;
  positions: Float64Array;
  /** Words of the packed triangles, 24 each. */
  triangles: Uint32Array;
  texWidth: number;
  texHeight: number;
  levelOffsets: number[];
  texels: Float64Array;
  light?: { filtered: Float64Array; sizes: number[]; offsets: number[]; brdf: number };
  ids: Uint32Array;
  /** Mip level per pixel; computed and kept here when absent. */
  lods?: Float64Array;
  /** Read the nearer mip level alone. */
  nearestMip?: boolean;
}

type V = number[];
const dot = (a: V, b: V) => a.reduce((s, x, i) => s + x * b[i], 0);
const cross = (a: V, b: V): V => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const scale = (a: V, s: number): V => a.map((x) => x * s);
const add = (...v: V[]): V => v[0].map((_, i) => v.reduce((s, x) => s + x[i], 0));
const unit = (a: V): V => scale(a, 1 / Math.sqrt(dot(a, a)));
const mix = (a: V, b: V, t: number): V => a.map((x, i) => x + (b[i] - x) * t);

export function referenceNormals(positions: Float64Array, triangles: Uint32Array): V[] {
  const sums: V[] = Array.from({ length: positions.length / 3 }, () => [0, 0, 0]);
  const at = (p: number): V => [...positions.subarray(p * 3, p * 3 + 3)];
  for (let t = 0; t < triangles.length; t += 24) {
    const [a, b, c] = [at(triangles[t]), at(triangles[t + 1]), at(triangles[t + 2])];
    const f = cross(add(b, scale(a, -1)), add(c, scale(a, -1)));
    for (let k = 0; k < 3; k++) sums[triangles[t + k]] = add(sums[triangles[t + k]], f);
  }
  return sums.map((s) => (dot(s, s) > 0 ? unit(s) : [0, 1, 0]));
}

/**
 * Weights of the corners of a triangle with clip positions c at normalised device coordinates p; and the sign of its
 * area.
 */
export function referenceBarycentric(p: V, c: V[]): { b: V; area: number } {
  const q = c.map((v) => [v[0] - p[0] * v[3], v[1] - p[1] * v[3]]);
  const e = (i: number, j: number) => q[i][0] * q[j][1] - q[i][1] * q[j][0];
  const a = [e(1, 2), e(2, 0), e(0, 1)];
  const area = a[0] + a[1] + a[2];
  return { b: scale(a, 1 / area), area };
}

export const referenceCenter = (x: number, y: number, width: number, height: number): V => [
  ((x + 0.5) * 2) / width - 1,
  1 - ((y + 0.5) * 2) / height,
];

export function referenceClip(scene: ReferenceScene, n: number): V[] {
  const m = scene.cameras.subarray(n * 32, n * 32 + 16);
  return Array.from({ length: scene.positions.length / 3 }, (_, p) => {
    const x = scene.positions.subarray(p * 3, p * 3 + 3);
    return [0, 1, 2, 3].map((r) => m[r] * x[0] + m[4 + r] * x[1] + m[8 + r] * x[2] + m[12 + r]);
  });
}

function fetchMaterial(s: ReferenceScene, uv: V, level: number): V {
  const [w, h] = [Math.max(1, s.texWidth >> level), Math.max(1, s.texHeight >> level)];
  const [x, y] = [uv[0] * w - 0.5, uv[1] * h - 0.5];
  const [fx, fy] = [x - Math.floor(x), y - Math.floor(y)];
  const texel = (dx: number, dy: number): V => {
    const tx = (((Math.floor(x) + dx) % w) + w) % w;
    const ty = (((Math.floor(y) + dy) % h) + h) % h;
    const at = (s.levelOffsets[level] + ty * w + tx) * 8;
    return [...s.texels.subarray(at, at + 8)];
  };
  return mix(mix(texel(0, 0), texel(1, 0), fx), mix(texel(0, 1), texel(1, 1), fx), fy);
}

function fetchCube(l: NonNullable<ReferenceScene['light']>, d: V, map: number): V {
  const a = d.map(Math.abs);
  const face = a[0] >= a[1] && a[0] >= a[2] ? (d[0] > 0 ? 0 : 1) : a[1] >= a[2] ? (d[1] > 0 ? 2 : 3) : d[2] > 0 ? 4 : 5;
  const major = Math.max(...a);
  const size = l.sizes[map];
  const x = (([-d[2], d[2], d[0], d[0], d[0], -d[0]][face] / major + 1) * size) / 2 + 0.5;
  const y = (([-d[1], -d[1], d[2], -d[2], -d[1], -d[1]][face] / major + 1) * size) / 2 + 0.5;
  const [ix, iy] = [Math.min(size, Math.floor(x)), Math.min(size, Math.floor(y))];
  const texel = (dx: number, dy: number): V => {
    const at = (l.offsets[map] + (face * (size + 2) + iy + dy) * (size + 2) + ix + dx) * 4;
    return [...l.filtered.subarray(at, at + 3)];
  };
  return mix(mix(texel(0, 0), texel(1, 0), x - ix), mix(texel(0, 1), texel(1, 1), x - ix), y - iy);
}

function brdf(l: NonNullable<ReferenceScene['light']>, cosine: number, roughness: number): V {
  const at = (v: number) => Math.min(63, Math.max(0, v * 64 - 0.5));
  const [x, y] = [at(cosine), at(roughness)];
  const [ix, iy] = [Math.min(62, Math.floor(x)), Math.min(62, Math.floor(y))];
  const value = (dx: number, dy: number): V => {
    const i = (l.brdf + (iy + dy) * 64 + ix + dx) * 4;
    return [l.filtered[i], l.filtered[i + 1]];
  };
  return mix(mix(value(0, 0), value(1, 0), x - ix), mix(value(0, 1), value(1, 1), x - ix), y - iy);
}

/** Shaded colour, [views × height × width × 4]. */
export function referenceShade(s: ReferenceScene): Float64Array {
  const normals = referenceNormals(s.positions, s.triangles);
  const floats = new Float32Array(s.triangles.buffer, s.triangles.byteOffset, s.triangles.length);
  const pixels = s.width * s.height;
  const out = new Float64Array(s.views * pixels * 4);
  const lods = s.lods ?? new Float64Array(s.views * pixels);
  for (let n = 0; n < s.views; n++) {
    const clip = referenceClip(s, n);
    for (let i = 0; i < pixels; i++) {
      const pixel = n * pixels + i;
      if (s.ids[pixel] === 0) continue;
      const t = (s.ids[pixel] - 1) * 24;
      const corners = [...s.triangles.subarray(t, t + 3)];
      const place = (dx: number, dy: number) => {
        const p = referenceCenter((i % s.width) + dx, Math.floor(i / s.width) + dy, s.width, s.height);
        const hit = referenceBarycentric(
          p,
          corners.map((c) => clip[c]),
        );
        const uv = [0, 1].map((k) =>
          dot(hit.b, k ? [...floats.subarray(t + 20, t + 23)] : [floats[t + 11], floats[t + 15], floats[t + 19]]),
        );
        return { ...hit, p, uv };
      };
      const { b, p, uv, area } = place(0, 0);
      if (!s.lods) {
        const e = 1e-4;
        const step = (dx: number, dy: number) => {
          const [u, v] = [place(dx * e, dy * e).uv, place(-dx * e, -dy * e).uv];
          return Math.hypot(((u[0] - v[0]) / 2 / e) * s.texWidth, ((u[1] - v[1]) / 2 / e) * s.texHeight);
        };
        const lod = Math.log2(Math.max(step(1, 0), step(0, 1), 1e-6));
        lods[pixel] = Math.min(s.levelOffsets.length - 1, Math.max(0, lod));
        if (s.nearestMip) lods[pixel] = Math.floor(lods[pixel] + 0.5);
      }
      const level = Math.min(s.levelOffsets.length - 1, Math.floor(lods[pixel]));
      let m = fetchMaterial(s, uv, level);
      if (lods[pixel] > level) m = mix(m, fetchMaterial(s, uv, level + 1), lods[pixel] - level);
      let color = m.slice(0, 3);
      if (s.light) {
        const normal = add(...corners.map((c, k) => scale(normals[c], b[k])));
        const tangent = add(...[0, 1, 2].map((k) => scale([...floats.subarray(t + 8 + k * 4, t + 11 + k * 4)], b[k])));
        const bitangent = scale(cross(normal, tangent), floats[t + 23]);
        const smooth = scale(unit(normal), area > 0 ? 1 : -1);
        const shading = unit(add(smooth, scale(tangent, m[6]), scale(bitangent, m[7])));
        const ray = [0, 1, 2].map((c) => {
          const r = (k: number) => s.cameras[n * 32 + 20 + k * 4 + c];
          return -(r(0) + r(1) * p[0] + r(2) * p[1]);
        });
        const v = unit(ray);
        const cosine = Math.min(1, Math.max(1e-3, dot(shading, v)));
        const ab = brdf(s.light, cosine, m[4]);
        const reflected = add(scale(v, -1), scale(shading, 2 * dot(shading, v)));
        const step = m[4] * 5;
        const map = Math.min(4, Math.floor(step));
        const specular = mix(fetchCube(s.light, reflected, map), fetchCube(s.light, reflected, map + 1), step - map);
        const irradiance = fetchCube(s.light, shading, 6);
        color = color.map((base, c) => {
          const f0 = 0.04 + (base - 0.04) * m[5];
          return (base * (1 - m[5]) * irradiance[c] + specular[c] * (f0 * ab[0] + ab[1])) * m[3];
        });
      }
      out.set([...color, 1], pixel * 4);
    }
  }
  s.lods = lods;
  return out;
}

/** The picture with outlines blended. */
export function referenceAntialias(s: ReferenceScene, color: Float64Array): Float64Array {
  const out = color.slice();
  const pixels = s.width * s.height;
  const none = 0xffffffff;
  for (let n = 0; n < s.views; n++) {
    const clip = referenceClip(s, n);
    const side = (a: V, b: V, c: V) => dot(cross([a[0], a[1], a[3]], [b[0], b[1], b[3]]), [c[0], c[1], c[3]]);
    const onOutline = (t: number, k: number) => {
      const v = [...s.triangles.subarray(t, t + 3)].map((c) => clip[c]);
      const other = s.triangles[t + 4 + k];
      return other === none || side(v[k], v[(k + 1) % 3], clip[other]) * side(v[0], v[1], v[2]) >= 0;
    };
    // Distance along the viewing axis of what a pixel shows.
    const depth = (id: number, p: V) => {
      const v = [...s.triangles.subarray((id - 1) * 24, (id - 1) * 24 + 3)].map((c) => clip[c]);
      return dot(
        referenceBarycentric(p, v).b,
        v.map((c) => c[3]),
      );
    };
    const size = [s.width, s.height];
    const footprint = (2 * Math.hypot(...s.cameras.subarray(n * 32 + 24, n * 32 + 27))) / s.width;
    const reach = 1.5 * Math.sqrt(Math.max(...size)) * footprint;
    const edges: { ends: V[]; inner: V; axis: number }[] = [];
    for (let t = 0; t < s.triangles.length; t += 24) {
      const corner = [...s.triangles.subarray(t, t + 3)].map((c) => clip[c]);
      for (let k = 0; k < 3; k++) {
        if (!onOutline(t, k)) continue;
        const ends = [k, (k + 1) % 3].map((c) => [
          corner[c][0] / corner[c][3],
          corner[c][1] / corner[c][3],
          corner[c][3],
        ]);
        const third = corner[(k + 2) % 3];
        const extent = [0, 1].map((c) => Math.abs(ends[1][c] - ends[0][c]) * size[c]);
        edges.push({ ends, inner: [third[0] / third[3], third[1] / third[3]], axis: extent[0] > extent[1] ? 1 : 0 });
      }
    }
    for (let y = 0; y < s.height; y++) {
      for (let x = 0; x < s.width; x++) {
        for (const axis of [0, 1]) {
          const [x1, y1] = [x + 1 - axis, y + axis];
          if (x1 >= s.width || y1 >= s.height) continue;
          const at = [n * pixels + y * s.width + x, n * pixels + y1 * s.width + x1];
          const id = at.map((i) => s.ids[i]);
          if (id[0] === id[1]) continue;
          const p = [referenceCenter(x, y, s.width, s.height), referenceCenter(x1, y1, s.width, s.height)];
          const across = 1 - axis;
          const line = p[0][across];
          let outermost = -1;
          let front = 0;
          for (const { ends, inner, axis: own } of edges) {
            if (own !== axis || ends[0][across] < line === ends[1][across] < line) continue;
            const share = (line - ends[0][across]) / (ends[1][across] - ends[0][across]);
            const crossing = ends[0][axis] + share * (ends[1][axis] - ends[0][axis]);
            // The triangle lies on the side of its third corner, by the line through the edge.
            const along =
              ends[0][axis] +
              ((inner[across] - ends[0][across]) * (ends[1][axis] - ends[0][axis])) /
                (ends[1][across] - ends[0][across]);
            const nearer = inner[axis] < along === p[0][axis] < p[1][axis] ? 0 : 1;
            const d = (crossing - p[nearer][axis]) / (p[1 - nearer][axis] - p[nearer][axis]);
            if (d < 0 || d > 1 || id[nearer] === 0) continue;
            const z = 1 / ((1 - share) / ends[0][2] + share / ends[1][2]);
            if (depth(id[nearer], p[nearer]) < z * (1 - reach)) continue;
            if (id[1 - nearer] !== 0 && depth(id[1 - nearer], p[1 - nearer]) <= z) continue;
            if (d > outermost) {
              outermost = d;
              front = nearer;
            }
          }
          if (outermost < 0) continue;
          const receiver = outermost > 0.5 ? 1 - front : front;
          for (let c = 0; c < 4; c++) {
            out[at[receiver] * 4 + c] +=
              Math.abs(outermost - 0.5) * (color[at[1 - receiver] * 4 + c] - color[at[receiver] * 4 + c]);
          }
        }
      }
    }
  }
  return out;
}
