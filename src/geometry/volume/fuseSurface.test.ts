import { describe, expect, it } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { onLeastDevice } from '../../../test/leastDevice.js';
import { AXES, box, cameraAt, directions, type Solid, sphere, topology, torus, view } from '../../../test/solids.js';
import { projectPoint } from '../../core/camera.js';
import type { FloatImage } from '../../core/image.js';
import { cross, length, scale, type Vec3 } from '../../core/math.js';
import { Random } from '../../core/random.js';
import { fuseSurface, type SurfaceView } from './fuseSurface.js';

const gpu = useGpu();
const BOUNDS = { min: [-0.65, -0.65, -0.65] as Vec3, max: [0.65, 0.65, 0.65] as Vec3 };
const DISTANCE = 3;

const see = (solid: Solid, from: readonly Vec3[], size: number) =>
  from.map((d) => view(solid, cameraAt(scale(d, DISTANCE), size)));
const masksOf = (views: ReturnType<typeof see>): SurfaceView[] => views.map(({ camera, mask }) => ({ camera, mask }));

/** Greatest and mean distance of the vertices from the true surface. */
function errors(mesh: { positions: Float32Array }, solid: Solid): { greatest: number; mean: number } {
  let greatest = 0;
  let sum = 0;
  const n = mesh.positions.length / 3;
  for (let i = 0; i < n; i++) {
    const d = Math.abs(solid([mesh.positions[i * 3], mesh.positions[i * 3 + 1], mesh.positions[i * 3 + 2]]));
    greatest = Math.max(greatest, d);
    sum += d;
  }
  return { greatest, mean: sum / n };
}

/** Greatest distance of points of the true surface (found along rays from the centre) from the nearest vertex. */
function coverage(mesh: { positions: Float32Array }, points: readonly Vec3[]): number {
  let greatest = 0;
  for (const p of points) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < mesh.positions.length; i += 3) {
      const dx = mesh.positions[i] - p[0];
      const dy = mesh.positions[i + 1] - p[1];
      const dz = mesh.positions[i + 2] - p[2];
      best = Math.min(best, dx * dx + dy * dy + dz * dz);
    }
    greatest = Math.max(greatest, Math.sqrt(best));
  }
  return greatest;
}

describe('fuseSurface with depth and outlines', () => {
  it('finds a sphere from six views to a fraction of a voxel, closed, manifold and outward', async () => {
    const solid = sphere(0.5);
    const { mesh, facts } = await fuseSurface(gpu(), see(solid, AXES, 96), BOUNDS, { resolution: 64 });
    const shape = topology(mesh);
    expect(shape.badEdges).toBe(0);
    expect(shape.euler).toBe(2);
    expect(shape.volume / ((4 / 3) * Math.PI * 0.125)).toBeGreaterThan(0.985);
    expect(shape.volume / ((4 / 3) * Math.PI * 0.125)).toBeLessThan(1.015);
    const { mean } = errors(mesh, solid);
    expect(mean).toBeLessThan(0.15 * facts.voxelSize);
    const points = directions(100).map((d) => scale(d, 0.5));
    expect(coverage(mesh, points)).toBeLessThan(1.2 * facts.voxelSize);
  });

  it('keeps the hole of a torus', async () => {
    const solid = torus(0.4, 0.15);
    const { mesh, facts } = await fuseSurface(gpu(), see(solid, AXES, 96), BOUNDS, { resolution: 64 });
    expect(topology(mesh)).toMatchObject({ badEdges: 0, euler: 0 });
    expect(errors(mesh, solid).mean).toBeLessThan(0.5 * facts.voxelSize);
  });

  it('keeps a plate of two voxels that is seen from both sides', async () => {
    const solid = box([0.5, 0.5, 0.02]);
    const { mesh, facts } = await fuseSurface(gpu(), see(solid, AXES, 96), BOUNDS, { resolution: 64 });
    const shape = topology(mesh);
    expect(shape).toMatchObject({ badEdges: 0, euler: 2 });
    expect(facts.voxelSize).toBeGreaterThan(0.02);
    expect(shape.volume).toBeGreaterThan(0.04 * 0.85);
    expect(shape.volume).toBeLessThan(0.04 * 1.15);
    expect(errors(mesh, solid).greatest).toBeLessThan(1.5 * facts.voxelSize);
  });

  it('finds a hollow that outlines cannot show', async () => {
    // A bowl: the half of a sphere with a smaller sphere taken out from above.
    const cavity = sphere(0.35, [0, 0.3, 0]);
    const body = box([0.5, 0.3, 0.5]);
    const solid: Solid = (p) => Math.max(body(p), -cavity(p));
    const views = see(solid, AXES, 96);
    const lowest = (mesh: { positions: Float32Array }): number => {
      let y = Number.POSITIVE_INFINITY;
      for (let i = 0; i < mesh.positions.length; i += 3) {
        const [px, py, pz] = mesh.positions.subarray(i, i + 3);
        if (Math.hypot(px, pz) < 0.1 && py > -0.25) y = Math.min(y, py);
      }
      return y;
    };
    const withDepth = await fuseSurface(gpu(), views, BOUNDS, { resolution: 64 });
    const masksOnly = await fuseSurface(gpu(), masksOf(views), BOUNDS, { resolution: 64 });
    expect(lowest(withDepth.mesh)).toBeCloseTo(-0.05, 1);
    expect(lowest(masksOnly.mesh)).toBeGreaterThan(0.25);
    expect(topology(withDepth.mesh).badEdges).toBe(0);
  });

  it('keeps a thin part whole that views show a little beside each other, once it is told how far', async () => {
    // A block with a bar on top, seen from six sides; each view shows everything three voxels off to a side of its own.
    const [block, bar] = [box([0.35, 0.2, 0.35]), box([0.05, 0.3, 0.05])];
    const solid: Solid = ([x, y, z]) => Math.min(block([x, y + 0.2, z]), bar([x, y - 0.2, z]));
    const off: Vec3[] = [
      [0.04, 0, 0],
      [-0.04, 0, 0],
      [0, 0, 0.04],
      [0, 0, -0.04],
    ];
    const views = AXES.map((axis, i): SurfaceView => {
      const by = off[i % 4];
      const seen: Solid = ([x, y, z]) => solid([x - by[0], y, z - by[2]]);
      return view(seen, cameraAt(scale(axis, DISTANCE), 128));
    });
    const widths = ({ mesh: { positions } }: { mesh: { positions: Float32Array } }, y: number): number[] =>
      [0, 2].map((k) => {
        let [least, greatest] = [0, 0];
        for (let i = 0; i < positions.length; i += 3) {
          if (Math.abs(positions[i + 1] - y) > 0.02) continue;
          least = Math.min(least, positions[i + k]);
          greatest = Math.max(greatest, positions[i + k]);
        }
        return greatest - least;
      });
    const exact = await fuseSurface(gpu(), views, BOUNDS, { resolution: 96 });
    const lenient = views.map((v) => ({ ...v, misplacement: 0.02 }));
    const told = await fuseSurface(gpu(), lenient, BOUNDS, { resolution: 96 });
    for (const width of widths(exact, 0.3)) expect(width).toBeLessThan(0.04);
    for (const width of widths(told, 0.3)) expect(Math.abs(width - 0.1)).toBeLessThan(0.03);
    expect(topology(told.mesh).badEdges).toBe(0);
  });

  it('draws no skin between a near part and what is behind it, and marks what no view saw', async () => {
    // A small ball before a large plate, seen from the front only: its shadow is solid, its sides are not slanted.
    const solid: Solid = (p) => Math.min(sphere(0.15, [0, 0, 0.45])(p), box([0.6, 0.6, 0.05])(p));
    const views = see(solid, AXES.slice(0, 1), 128).map(({ camera, depth }) => ({ camera, depth }));
    const { mesh, support, facts } = await fuseSurface(gpu(), views, BOUNDS, { resolution: 64 });
    expect(topology(mesh).badEdges).toBe(0);
    let seenInGap = 0;
    let unseenInGap = 0;
    for (let i = 0; i < support.length; i++) {
      const [x, y, z] = mesh.positions.subarray(i * 3, i * 3 + 3);
      if (z < 0.1 || z > 0.4 || Math.hypot(x, y) > 0.3) continue;
      // The shadow's side lies on the cone of rays that touch the ball.
      expect(Math.hypot(x, y) / (DISTANCE - z)).toBeLessThan(0.0597 + facts.voxelSize / 2);
      if (support[i] === 0) unseenInGap++;
      else if (z < 0.3) seenInGap++;
    }
    expect(unseenInGap).toBeGreaterThan(100);
    expect(seenInGap).toBe(0);
  });

  it('digs no pit where a few of many depth maps are wrong, with a consensus, and keeps a true hollow', async () => {
    // A ball with a bite taken out from above.
    const bite = sphere(0.3, [0, 0.5, 0]);
    const ball = sphere(0.5);
    const solid: Solid = (p) => Math.max(ball(p), -bite(p));
    const from = directions(20);
    const views: SurfaceView[] = see(solid, from, 64);
    // The two views nearest to +x see a dent there.
    const nearest = [...from.keys()].sort((a, b) => from[b][0] - from[a][0]).slice(0, 2);
    for (const v of nearest) {
      const { depth, camera } = views[v];
      const data = depth!.data.slice();
      const dent = projectPoint(camera, [0.5, 0, 0]);
      for (let i = 0; i < data.length; i++) {
        const [x, y] = [(i % 64) + 0.5 - dent.x, Math.floor(i / 64) + 0.5 - dent.y];
        if (data[i] > 0 && Math.hypot(x, y) < 6) data[i] += 0.06;
      }
      views[v] = { ...views[v], depth: { width: 64, height: 64, data } };
    }
    const deepest = ({ mesh }: { mesh: { positions: Float32Array } }): number => {
      let x = 1;
      for (let i = 0; i < mesh.positions.length; i += 3) {
        const [px, py, pz] = mesh.positions.subarray(i, i + 3);
        if (px > 0 && Math.hypot(py, pz) < 0.05) x = Math.min(x, px);
      }
      return x;
    };
    const hollow = ({ mesh }: { mesh: { positions: Float32Array } }): number => {
      let y = 1;
      for (let i = 0; i < mesh.positions.length; i += 3) {
        const [px, py, pz] = mesh.positions.subarray(i, i + 3);
        if (py > 0 && Math.hypot(px, pz) < 0.05) y = Math.min(y, py);
      }
      return y;
    };
    const options = { resolution: 48, hollow: false };
    const alone = await fuseSurface(gpu(), views, BOUNDS, options);
    const together = await fuseSurface(gpu(), views, BOUNDS, { ...options, consensus: 0.3 });
    expect(deepest(alone)).toBeLessThan(0.46);
    expect(deepest(together)).toBeGreaterThan(0.5 - together.facts.voxelSize);
    expect(hollow(together)).toBeCloseTo(0.2, 1);
    expect(topology(together.mesh)).toMatchObject({ badEdges: 0, euler: 2 });
    // Maps that do not fit into one binding are counted together all the same.
    const apart = await fuseSurface(gpu(), views, BOUNDS, { ...options, consensus: 0.3, bindingLimit: 900_000 });
    expect(deepest(apart)).toBeCloseTo(deepest(together), 2);
    expect(errors(apart.mesh, solid).mean).toBeCloseTo(errors(together.mesh, solid).mean, 3);
  });

  it('closes what gaps in the depth leave open smoothly, with a consensus, where outlines alone leave a lid', async () => {
    // A tub, seen from above: only one in six pixels of its inside has a depth.
    const tub: Solid = (p) => Math.max(box([0.5, 0.4, 0.5])(p), -box([0.36, 0.4, 0.36])([p[0], p[1] - 0.3, p[2]]));
    const from = Array.from({ length: 10 }, (_, i): Vec3 => {
      const angle = (i / 10) * 2 * Math.PI;
      return scale([Math.sin(angle), i % 2 ? 1.2 : 2.5, Math.cos(angle)], 1 / Math.hypot(1, i % 2 ? 1.2 : 2.5));
    });
    const random = new Random(5);
    const views = see(tub, from, 64).map((shot): SurfaceView => {
      const { width, height, data } = shot.depth!;
      return { ...shot, depth: { width, height, data: data.map((v) => (random.float() < 1 / 6 ? v : 0)) } };
    });
    const bounds = { ...BOUNDS, min: [-0.65, -0.4, -0.65] as Vec3 };
    const options = { resolution: 40, hollow: false };
    const { mesh } = await fuseSurface(gpu(), views, bounds, { ...options, consensus: 0.3 });
    const least = await onLeastDevice((on) => fuseSurface(on, views, bounds, { ...options, consensus: 0.3 }));
    expect(least.mesh).toEqual(mesh);
    const sponge = await fuseSurface(gpu(), views, bounds, options);
    const area = ({ positions, indices }: typeof mesh): number => {
      let sum = 0;
      for (let t = 0; t < indices.length; t += 3) {
        const [a, b, c] = [0, 1, 2].map((k) => positions.subarray(indices[t + k] * 3, indices[t + k] * 3 + 3));
        const [u, v] = [b, c].map((q): Vec3 => [q[0] - a[0], q[1] - a[1], q[2] - a[2]]);
        sum += length(cross(u, v)) / 2;
      }
      return sum;
    };
    // Top and bottom, four sides, and those of the pit.
    const truth = 2 + 4 * 0.8 + 4 * 0.72 * 0.5;
    expect(area(mesh)).toBeLessThan(1.1 * truth);
    expect(area(mesh)).toBeGreaterThan(0.85 * truth);
    expect(area(sponge.mesh)).toBeGreaterThan(1.5 * truth);
    expect(topology(mesh).badEdges).toBe(0);
    let floor = 1;
    for (let i = 0; i < mesh.positions.length; i += 3) {
      const [x, y, z] = mesh.positions.subarray(i, i + 3);
      if (y > -0.2 && Math.hypot(x, z) < 0.1) floor = Math.min(floor, y);
    }
    expect(floor).toBeLessThan(0);
  });

  it('weighs each depth by its own error', async () => {
    const solid = sphere(0.5);
    const views: SurfaceView[] = see(solid, AXES, 64);
    // Two maps of each side: one exact, one too deep that says so.
    const doubtful = views.map((view): SurfaceView => {
      const data = view.depth!.data.map((d) => (d > 0 ? d + 0.02 : 0));
      const errors = data.map(() => 0.02);
      const size = { width: 64, height: 64 };
      return {
        camera: view.camera,
        depth: { ...size, data },
        depthAccuracy: 0.01,
        depthErrors: { ...size, data: errors },
      };
    });
    const own = await fuseSurface(gpu(), [...views, ...doubtful], BOUNDS, { resolution: 48 });
    const same = doubtful.map((view) => ({ ...view, depthErrors: undefined, depthAccuracy: 0.01 }));
    const alike = await fuseSurface(gpu(), [...views, ...same], BOUNDS, { resolution: 48 });
    expect(errors(own.mesh, solid).mean).toBeLessThan(0.8 * errors(alike.mesh, solid).mean);
  });

  it('hollows a vessel whose sides no view sees, with the wall of its rim', async () => {
    // A ball with an opening at the top: the six views see the rim and a spot of the floor.
    const shell: Solid = (p) => Math.max(sphere(0.5)(p), -sphere(0.43)(p));
    const jar: Solid = (p) => Math.max(shell(p), Math.min(0.15 - Math.hypot(p[0], p[2]), p[1]));
    const views = see(jar, AXES, 128);
    const { mesh, facts } = await fuseSurface(gpu(), views, BOUNDS, { resolution: 80 });
    const solid = await fuseSurface(gpu(), views, BOUNDS, { resolution: 80, hollow: false });
    expect(facts.wallThickness).toBeGreaterThan(0.05);
    expect(facts.wallThickness).toBeLessThan(0.11);
    expect(solid.facts.wallThickness).toBeUndefined();
    expect(topology(mesh).badEdges).toBe(0);
    expect(topology(mesh).volume).toBeLessThan(0.6 * topology(solid.mesh).volume);
  });

  it('leaves a thick block with a hole solid', async () => {
    const drilled: Solid = (p) =>
      Math.max(box([0.4, 0.4, 0.4])(p), Math.min(0.15 - Math.hypot(p[0], p[2]), p[1] + 0.2));
    const { mesh, facts } = await fuseSurface(gpu(), see(drilled, AXES, 128), BOUNDS, { resolution: 80 });
    const shape = topology(mesh);
    expect(facts.wallThickness).toBeUndefined();
    expect(shape).toMatchObject({ badEdges: 0, euler: 2 });
    const truth = 0.8 ** 3 - Math.PI * 0.15 ** 2 * 0.6;
    expect(Math.abs(shape.volume / truth - 1)).toBeLessThan(0.03);
    expect(errors(mesh, drilled).mean).toBeLessThan(0.3 * facts.voxelSize);
  });

  it('averages noise out instead of wearing the surface away', async () => {
    const solid = sphere(0.5);
    const random = new Random(7);
    const sigma = 0.01;
    const noisy = see(solid, directions(16), 96).map(({ camera, depth, mask }): SurfaceView => {
      const data = depth.data.map((d) => (d > 0 ? d + sigma * random.normal() : 0));
      return { camera, mask, depth: { ...depth, data }, depthAccuracy: sigma };
    });
    const { mesh } = await fuseSurface(gpu(), noisy, BOUNDS, { resolution: 64 });
    const shape = topology(mesh);
    expect(shape.badEdges).toBe(0);
    const radius = Math.cbrt((shape.volume * 3) / (4 * Math.PI));
    expect(Math.abs(radius - 0.5)).toBeLessThan(0.6 * sigma);
    expect(errors(mesh, solid).mean).toBeLessThan(0.8 * sigma);
  });
});

describe('fuseSurface with outlines only', () => {
  it('finds a sphere to sub-voxel accuracy from soft masks', async () => {
    const solid = sphere(0.5);
    const { mesh, facts } = await fuseSurface(gpu(), masksOf(see(solid, directions(40), 96)), BOUNDS, {
      resolution: 64,
    });
    expect(topology(mesh)).toMatchObject({ badEdges: 0, euler: 2 });
    // A hull of few views bulges between them, but is never inside the object.
    let least = 0;
    for (let i = 0; i < mesh.positions.length; i += 3) {
      least = Math.min(least, solid([mesh.positions[i], mesh.positions[i + 1], mesh.positions[i + 2]]));
    }
    expect(least).toBeGreaterThan(-0.15 * facts.voxelSize);
    expect(errors(mesh, solid).mean).toBeLessThan(0.4 * facts.voxelSize);
  });

  it('says nothing about what a picture cuts off', async () => {
    const solid = sphere(0.5);
    const whole = see(solid, AXES, 96);
    const close = view(solid, cameraAt([0.2, 0.3, 1.1], 96));
    expect(close.mask.data[48]).toBeGreaterThan(0.5);
    const { mesh } = await fuseSurface(gpu(), masksOf([...whole, close]), BOUNDS, { resolution: 48 });
    const without = await fuseSurface(gpu(), masksOf(whole), BOUNDS, { resolution: 48 });
    // Only the bit of outline in the picture's corners may carve.
    const share = topology(mesh).volume / topology(without.mesh).volume;
    expect(share).toBeGreaterThan(0.995);
    expect(share).toBeLessThanOrEqual(1);
  });

  it('accepts a mask of another size than the camera', async () => {
    const solid = sphere(0.5);
    const views = masksOf(see(solid, directions(20), 64)).map((v) => ({
      ...v,
      camera: { ...v.camera, width: 640, height: 640, fx: v.camera.fx * 10, fy: v.camera.fy * 10, cx: 320, cy: 320 },
    }));
    const { mesh } = await fuseSurface(gpu(), views, BOUNDS, { resolution: 48 });
    expect(errors(mesh, solid).mean).toBeLessThan(0.02);
  });
});

describe('fuseSurface', () => {
  const solid = torus(0.4, 0.15);
  const full = () => see(solid, AXES, 64);

  it('gives the same bytes twice, and with small pages, a small binding limit and any number of groups', async () => {
    const views = full();
    const one = await fuseSurface(gpu(), views, BOUNDS, { resolution: 64 });
    const two = await fuseSurface(gpu(), views, BOUNDS, { resolution: 64 });
    const paged = await fuseSurface(gpu(), views, BOUNDS, { resolution: 64, memory: 1 << 20, bindingLimit: 1 << 20 });
    expect(one.facts.pages).toBe(1);
    expect(paged.facts.pages).toBeGreaterThan(2);
    for (const other of [two, paged]) {
      expect(Buffer.from(other.mesh.positions.buffer).equals(Buffer.from(one.mesh.positions.buffer))).toBe(true);
      expect(Buffer.from(other.mesh.indices.buffer).equals(Buffer.from(one.mesh.indices.buffer))).toBe(true);
    }
    const grouped = await fuseSurface(gpu(), views, BOUNDS, { resolution: 64, bindingLimit: 800_000 });
    expect(topology(grouped.mesh)).toMatchObject({ badEdges: 0, euler: 0 });
  });

  it('computes only the bricks near the surface', async () => {
    const { facts } = await fuseSurface(gpu(), full(), BOUNDS, { resolution: 128 });
    expect(facts.activeBricks).toBeLessThan(facts.bricks / 3);
  });

  it('takes its resolution from the pictures', async () => {
    const coarse = await fuseSurface(gpu(), masksOf(see(solid, AXES, 64)), BOUNDS);
    const fine = await fuseSurface(gpu(), masksOf(see(solid, AXES, 128)), BOUNDS);
    const capped = await fuseSurface(gpu(), masksOf(see(solid, AXES, 128)), BOUNDS, { maxResolution: 40 });
    expect(fine.facts.resolution / coarse.facts.resolution).toBeCloseTo(2, 1);
    expect(capped.facts.resolution).toBe(40);
  });

  it('stops when it is cancelled and frees its buffers', async () => {
    const before = gpu().bytesInUse;
    const abort = new AbortController();
    const run = fuseSurface(
      gpu(),
      full(),
      BOUNDS,
      { resolution: 64 },
      { signal: abort.signal, progress: (f) => f > 0.1 && abort.abort() },
    );
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(gpu().bytesInUse).toBeLessThanOrEqual(before);
  });

  it('refuses views that leave nothing', async () => {
    const [first, ...rest] = masksOf(full());
    const blank: FloatImage = { width: 64, height: 64, data: new Float32Array(64 * 64) };
    await expect(
      fuseSurface(gpu(), [{ ...first, mask: blank }, ...rest], BOUNDS, { resolution: 32 }),
    ).rejects.toMatchObject({
      code: 'SURFACE_EMPTY',
    });
  });

  it('refuses views without masks and depth, and bounds without volume', async () => {
    const [{ camera, mask }] = full();
    await expect(fuseSurface(gpu(), [{ camera }], BOUNDS)).rejects.toMatchObject({ code: 'METHOD_REQUIREMENTS' });
    await expect(fuseSurface(gpu(), [{ camera, mask }], { min: [0, 0, 0], max: [1, 0, 1] })).rejects.toMatchObject({
      code: 'SURFACE_EMPTY',
    });
  });
});
