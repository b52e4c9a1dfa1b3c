import { beforeAll, describe, expect, it } from 'vitest';
import { type ReferenceScene, referenceAntialias, referenceShade } from '../../../../test/diffReference.js';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import type { Camera } from '../../../core/camera.js';
import { lookAt, type Vec3 } from '../../../core/math.js';
import type { Mesh } from '../../../core/mesh.js';
import { Random } from '../../../core/random.js';
import { computeNormals } from '../../../geometry/mesh/normals.js';
import { computeTangents } from '../../../geometry/mesh/tangents.js';
import { createFrame } from '../frame.js';
import { recordAntialias, recordAntialiasBackward } from '../geometry/antialias.js';
import { createDiffCameras, packCameras } from '../geometry/cameras.js';
import { recordGeometry } from '../geometry/geometry.js';
import { recordCameraBackward, recordGeometryBackward } from '../geometry/geometryBackward.js';
import { createDiffMesh } from '../geometry/mesh.js';
import { recordNormals } from '../geometry/normals.js';
import { createGradients, readOverflow, recordClearGradients } from '../gradients.js';
import { createDiffLight, recordLight, recordLightBackward } from '../light/light.js';
import { lightLayout } from '../light/lightFilter.js';
import type { DiffLight, DiffScene, Frame, Gradients, ShadeOptions } from '../types.js';
import { createEmptyMaterial, pyramidLayout, recordMaterialMips } from './material.js';
import { recordShade } from './shade.js';
import { recordShadeBackward } from './shadeBackward.js';

const gpu = useGpu();
const random = new Random(5);
const uniform = (low: number, high: number) => low + (high - low) * random.float();

function camera(eye: Vec3, size: number, focal = 1.4): Camera {
  return {
    cameraToWorld: lookAt(eye, [0, 0, 0]),
    width: size,
    height: size,
    fx: size * focal,
    fy: size * focal,
    cx: size * 0.5,
    cy: size * 0.45,
  };
}

interface Case {
  scene: DiffScene;
  frame: Frame;
  gradients: Gradients;
  reference: ReferenceScene;
  /** Weight of each number of the antialiased picture in the loss. */
  weights: Float32Array;
  loss(): number;
  antialiased: Float32Array;
}

/** Renders, takes the gradient of a weighted sum of the picture, and sets the same up for the float64 reference. */
async function prepare(
  mesh: Mesh,
  cameras: Camera[],
  texture: [number, number],
  light: DiffLight | undefined,
  options: ShadeOptions = {},
): Promise<Case> {
  const { width, height } = cameras[0];
  const scene: DiffScene = {
    mesh: createDiffMesh(gpu(), mesh),
    cameras: createDiffCameras(gpu(), cameras, [0, 0, 0], 2),
    material: createEmptyMaterial(gpu(), ...texture),
    light,
  };
  const texels = Float32Array.from({ length: texture[0] * texture[1] * 8 }, (_, i) =>
    i % 8 < 3 ? uniform(0.1, 0.9) : i % 8 < 6 ? uniform(0.2, 0.8) : uniform(-0.3, 0.3),
  );
  gpu().write(scene.material.texels, texels);
  const { positionCount, triangleCount } = scene.mesh;
  const frame = createFrame(gpu(), { width, height, capacity: cameras.length + 1, positionCount, triangleCount });
  frame.views = cameras.map((_, i) => i);
  const gradients = createGradients(gpu(), scene, frame.capacity);
  const pixels = width * height * cameras.length;
  const weights = Float32Array.from({ length: pixels * 4 }, () => uniform(-1, 1));
  const layout = pyramidLayout(...texture);
  gpu().run((batch) => {
    recordMaterialMips(batch, scene.material);
    recordNormals(batch, scene.mesh);
    if (light) recordLight(batch, light);
    recordGeometry(batch, scene, frame);
    recordShade(batch, scene, frame, options);
    recordAntialias(batch, scene.mesh, frame);
  });
  gpu().write(frame.gradient, weights);
  backward(scene, frame, gradients, options);
  const lights = light && lightLayout(light.size);
  const reference: ReferenceScene = {
    width,
    height,
    views: cameras.length,
    nearestMip: options.mips === 'nearest',
    cameras: Float64Array.from(packCameras(cameras, [0, 0, 0], 2)),
    positions: Float64Array.from(await gpu().readFloat32(scene.mesh.positions, positionCount * 3)),
    triangles: await gpu().readUint32(scene.mesh.triangles, triangleCount * 24),
    texWidth: texture[0],
    texHeight: texture[1],
    levelOffsets: layout.levels.map((l) => l.texelOffset),
    texels: Float64Array.from(await gpu().readFloat32(scene.material.texels, layout.texelCount * 8)),
    ids: await gpu().readUint32(frame.ids, pixels),
    ...(light &&
      lights && {
        light: {
          filtered: Float64Array.from(await gpu().readFloat32(light.filtered)),
          sizes: lights.sizes,
          offsets: lights.offsets,
          brdf: lights.texelCount,
        },
      }),
  };
  const loss = () => {
    const picture = referenceAntialias(reference, referenceShade(reference));
    return picture.reduce((sum, v, i) => sum + v * weights[i], 0);
  };
  const antialiased = await gpu().readFloat32(frame.antialiased, pixels * 4);
  return { scene, frame, gradients, reference, weights, loss, antialiased };
}

function backward(scene: DiffScene, frame: Frame, gradients: Gradients, options: ShadeOptions = {}): void {
  gpu().run((batch) => {
    recordClearGradients(batch, scene, gradients, true);
    recordAntialiasBackward(batch, scene.mesh, frame, gradients);
    recordShadeBackward(batch, scene, frame, gradients, options);
    recordGeometryBackward(batch, scene, frame, gradients);
    recordCameraBackward(batch, scene, frame, gradients);
    if (scene.light) recordLightBackward(batch, scene.light, gradients);
  });
}

/** Central differences of the reference at chosen elements. */
function differences(c: Case, values: Float64Array, elements: number[], step: number): number[] {
  return elements.map((i) => {
    const kept = values[i];
    values[i] = kept + step;
    const high = c.loss();
    values[i] = kept - step;
    const low = c.loss();
    values[i] = kept;
    return (high - low) / (2 * step);
  });
}

/** Elements with the largest gradients, and some at random: proves both values and zeros. */
function chosen(gradient: ArrayLike<number>, largest: number, others: number): number[] {
  const order = Array.from(gradient, (g, i) => ({ g: Math.abs(g), i })).sort((a, b) => b.g - a.g);
  return [...order.slice(0, largest), ...Array.from({ length: others }, () => order[random.integer(order.length)])].map(
    (o) => o.i,
  );
}

function expectClose(got: number[], wanted: number[], relative: number, absolute: number): void {
  const worst = got.map((g, i) => ({
    g,
    w: wanted[i],
    over: Math.abs(g - wanted[i]) / (absolute + relative * Math.abs(wanted[i])),
  }));
  worst.sort((a, b) => b.over - a.over);
  expect(worst[0].over, JSON.stringify(worst.slice(0, 5))).toBeLessThan(1);
}

/** A bumpy ball with coordinates that span several mip levels and pass the texture's rim. */
async function ball(level: number, repeat: number): Promise<Mesh> {
  const mesh = sphere(level);
  const uvs = new Float32Array((mesh.positions.length / 3) * 2);
  const positions = mesh.positions.map((x, i) => x * (1 + 0.07 * Math.sin(i * 1.7)));
  for (let i = 0; i < uvs.length / 2; i++) {
    uvs[i * 2] = repeat * (0.5 + 0.4 * positions[i * 3] + 0.1 * positions[i * 3 + 2]);
    uvs[i * 2 + 1] = repeat * (0.5 - 0.4 * positions[i * 3 + 1]);
  }
  const bumpy = { ...mesh, positions, uvs };
  return computeTangents({ ...bumpy, normals: computeNormals(bumpy) });
}

async function litCase(): Promise<Case> {
  const light = await createDiffLight(gpu(), [1, 1, 1], 16);
  gpu().write(
    light.parameters,
    Float32Array.from({ length: 6 * 16 * 16 * 3 }, () => uniform(-1.5, 1)),
  );
  return prepare(await ball(2, 1), [camera([1.5, 1, 2.2], 24), camera([-2, 0.3, 1.6], 24)], [16, 8], light);
}

describe('gradients of the fused path', () => {
  let lit: Case;
  beforeAll(async () => {
    lit = await litCase();
    lit.loss();
  });

  it('renders what the float64 reference renders', async () => {
    const c = lit;
    const wanted = referenceAntialias(c.reference, referenceShade(c.reference));
    const errors = Array.from(wanted, (w, i) => Math.abs(w - c.antialiased[i])).sort((a, b) => b - a);
    // A pixel whose centre lies on an edge of its triangle to within the rasteriser's grid is clamped there, and is not
    // here.
    expect(errors[Math.floor(errors.length / 500)]).toBeLessThan(2e-4);
    expect(errors[0]).toBeLessThan(0.05);
  });

  it('reach texels of all levels and channels', async () => {
    const c = lit;
    const fixed = await gpu().readInt32(c.gradients.texels, c.scene.material.texelCount * 8);
    const got = Array.from(fixed, (g) => g / c.gradients.scales.texel);
    for (let channel = 0; channel < 8; channel++) {
      const own = got.map((g, i) => (i % 8 === channel ? g : 0));
      const elements = chosen(own, 4, 1);
      expectClose(
        elements.map((i) => got[i]),
        differences(c, c.reference.texels, elements, 1e-5),
        5e-3,
        2e-3,
      );
    }
  });

  it('reach positions through shading, texture coordinates, normals and outlines', async () => {
    const c = lit;
    const got = Array.from(await gpu().readFloat32(c.gradients.positions, c.scene.mesh.positionCount * 3));
    const elements = chosen(got, 16, 8);
    expectClose(
      elements.map((i) => got[i]),
      differences(c, c.reference.positions, elements, 1e-6),
      1e-2,
      0.15,
    );
  });

  it('reach the filtered light and through it the cube map', async () => {
    const c = lit;
    const filtered = c.reference.light!.filtered;
    const fixed = await gpu().readInt32(
      c.gradients.scatter,
      c.scene.light!.texelCount * 4,
      c.gradients.lightOffset * 4,
    );
    const elements = chosen(fixed, 8, 4);
    expectClose(
      elements.map((i) => fixed[i] / c.gradients.scales.light),
      differences(c, filtered, elements, 1e-4),
      5e-3,
      5e-3,
    );
    // The filter is linear in radiance and exp at the start: a step of one parameter, filtered on the device, moves the
    // loss as its gradient says.
    const parameters = await gpu().readFloat32(c.scene.light!.parameters, 6 * 16 * 16 * 3);
    const gradient = await gpu().readFloat32(c.gradients.light!, parameters.length);
    for (const i of chosen(gradient, 2, 0)) {
      const at = async (value: number) => {
        gpu().write(c.scene.light!.parameters, Float32Array.of(value), i * 4);
        gpu().run((batch) => recordLight(batch, c.scene.light!));
        filtered.set(await gpu().readFloat32(c.scene.light!.filtered));
        return c.loss();
      };
      const difference = ((await at(parameters[i] + 0.02)) - (await at(parameters[i] - 0.02))) / 0.04;
      await at(parameters[i]);
      expect(Math.abs(difference - gradient[i])).toBeLessThan(0.01 * Math.abs(difference) + 2e-3);
    }
  });

  it('reach the camera', async () => {
    const c = await prepare(
      await ball(2, 1),
      [camera([1.5, 1, 2.2], 24), camera([-2, 0.3, 1.6], 24)],
      [16, 16],
      undefined,
    );
    c.loss();
    const got = Array.from(await gpu().readFloat32(c.gradients.cameras, 32));
    const elements = got.map((_, i) => i).filter((i) => i % 4 !== 2);
    const places = elements.map((i) => Math.floor(i / 16) * 32 + (i % 16));
    expectClose(
      elements.map((i) => got[i]),
      differences(c, c.reference.cameras, places, 1e-6),
      1e-2,
      0.2,
    );
  });

  it('hold at grazing angles, close to the eye and where the texture is far smaller than a pixel', async () => {
    const c = await prepare(
      await ball(1, 9),
      [camera([0.2, 1.25, 0.3], 24, 0.7), camera([0, 0.02, 9], 24, 2)],
      [32, 32],
      undefined,
    );
    c.loss();
    const fixed = await gpu().readInt32(c.gradients.texels, c.scene.material.texelCount * 8);
    const got = Array.from(fixed, (g) => g / c.gradients.scales.texel);
    const elements = chosen(got, 12, 4);
    expect(Math.max(...c.reference.lods!)).toBeGreaterThan(3);
    expectClose(
      elements.map((i) => got[i]),
      differences(c, c.reference.texels, elements, 1e-4),
      5e-3,
      2e-3,
    );
    const positions = Array.from(await gpu().readFloat32(c.gradients.positions, c.scene.mesh.positionCount * 3));
    expectClose(
      positions,
      differences(
        c,
        c.reference.positions,
        positions.map((_, i) => i),
        1e-7,
      ),
      2e-2,
      1,
    );
  });

  it('of the nearest mip level alone reach texels and positions', async () => {
    const light = await createDiffLight(gpu(), [0.7, 1, 1.2], 16);
    const cameras = [camera([1.5, 1, 2.2], 24), camera([0, 0.02, 9], 24, 2)];
    const c = await prepare(await ball(2, 2), cameras, [32, 16], light, { mips: 'nearest' });
    c.loss();
    expect(Math.max(...c.reference.lods!)).toBeGreaterThan(0);
    const fixed = await gpu().readInt32(c.gradients.texels, c.scene.material.texelCount * 8);
    const got = Array.from(fixed, (g) => g / c.gradients.scales.texel);
    const elements = chosen(got, 16, 8);
    expectClose(
      elements.map((i) => got[i]),
      differences(c, c.reference.texels, elements, 1e-5),
      5e-3,
      2e-3,
    );
    const positions = Array.from(await gpu().readFloat32(c.gradients.positions, c.scene.mesh.positionCount * 3));
    const places = chosen(positions, 12, 6);
    expectClose(
      places.map((i) => positions[i]),
      differences(c, c.reference.positions, places, 1e-6),
      1e-2,
      0.2,
    );
  });

  it('of the light from every third run of pixels add up to three times those from all', async () => {
    const c = lit;
    const read = () => gpu().readInt32(c.gradients.scatter, c.scene.light!.texelCount * 4, c.gradients.lightOffset * 4);
    const all = await read();
    const sums = new Float64Array(all.length);
    for (let lightFirst = 0; lightFirst < 3; lightFirst++) {
      backward(c.scene, c.frame, c.gradients, { lightStride: 3, lightFirst });
      (await read()).forEach((v, i) => {
        sums[i] += v;
      });
    }
    backward(c.scene, c.frame, c.gradients);
    // Each addition is rounded to a whole number, so sums differ by a few units.
    expect(Math.max(...all.map(Math.abs))).toBeGreaterThan(1000);
    for (let i = 0; i < all.length; i++)
      expect(Math.abs(sums[i] - 3 * all[i])).toBeLessThan(100 + 1e-3 * Math.abs(all[i]));
  });

  it('are the same bytes when taken again, and inside their range', async () => {
    const c = lit;
    const { scatter, texels, positions, light } = c.gradients;
    const read = async () => Promise.all([scatter, texels, positions, light!].map((b) => gpu().read(b)));
    const first = await read();
    backward(c.scene, c.frame, c.gradients);
    const second = await read();
    first.forEach((bytes, i) => {
      expect(Buffer.from(bytes).equals(Buffer.from(second[i]))).toBe(true);
    });
    expect(new Int32Array(first[0]).some((g) => g !== 0)).toBe(true);
    expect(await readOverflow(gpu(), c.gradients)).toBe(false);
  });
});
