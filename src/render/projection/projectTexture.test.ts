import { expect, test } from 'vitest';
import { useGpu } from '../../../test/gpu.js';
import { box, picture, square } from '../../../test/texturedShapes.js';
import type { Camera } from '../../core/camera.js';
import type { ColorImage } from '../../core/image.js';
import { lookAt, type Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { AssetRenderer } from '../forward/assetRenderer.js';
import { type ProjectTextureOptions, projectTexture } from './projectTexture.js';
import type { TextureView } from './views/viewSet.js';

const gpu = useGpu();
const SIZE = 128;

const cameraAt = (eye: Vec3, size = 96): Camera => ({
  cameraToWorld: lookAt(eye, [0, 0, 0]),
  width: size,
  height: size,
  fx: size * 1.5,
  fy: size * 1.5,
  cx: size / 2,
  cy: size / 2,
});

/** Twelve cameras around, in two rings. */
const AROUND: Vec3[] = Array.from({ length: 12 }, (_, i) => {
  const a = (i * Math.PI) / 3 + (i < 6 ? 0 : Math.PI / 6);
  const y = i < 6 ? 2.4 : -2.4;
  return [3.6 * Math.sin(a), y, 3.6 * Math.cos(a)];
});

const patches = picture(SIZE, SIZE, (x, y) => [
  130 + 80 * Math.sin(x / 7),
  120 + 80 * Math.sin(y / 6 + 1),
  110 + 70 * Math.sin((x + y) / 9),
]);

/** Pictures of a mesh with a texture; `change` may alter each. */
async function photograph(
  mesh: Mesh,
  texture: ColorImage,
  cameras: readonly Camera[],
  change: (image: ColorImage, view: number) => void = () => {},
): Promise<TextureView[]> {
  const renderer = await AssetRenderer.create(gpu(), { mesh, material: { kind: 'baked', baseColor: texture } });
  const views: TextureView[] = [];
  for await (const { color } of renderer.renderEach(cameras, { supersample: 4 })) {
    change(color, views.length);
    views.push({ name: `view ${views.length}`, camera: cameras[views.length], load: async () => color });
  }
  renderer.dispose();
  return views;
}

const project = (mesh: Mesh, views: TextureView[], options: ProjectTextureOptions = {}) =>
  projectTexture(gpu(), mesh, views, { size: SIZE, ...options });

/** Mean absolute difference over texels well inside the box's charts, in 8-bit steps. */
function chartDifference(a: ColorImage, b: ColorImage, faces = [0, 1, 2, 3, 4, 5]): number {
  let sum = 0;
  let n = 0;
  for (const [x, y] of chartTexels(faces)) {
    for (let c = 0; c < 3; c++) sum += Math.abs(a.data[(y * SIZE + x) * 4 + c] - b.data[(y * SIZE + x) * 4 + c]);
    n += 3;
  }
  return sum / n;
}

function* chartTexels(faces: number[], inset = 0.12): Generator<[number, number]> {
  for (const face of faces) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const u = ((x + 0.5) / SIZE) * 3 - (face % 3);
        const v = ((y + 0.5) / SIZE) * 2 - Math.floor(face / 3);
        if (Math.min(u, v, 1 - u, 1 - v) > inset) yield [x, y];
      }
    }
  }
}

test('a texture photographed from all sides is recovered', async () => {
  const mesh = box([1, 1, 1], 4);
  const views = await photograph(
    mesh,
    patches,
    AROUND.map((eye) => cameraAt(eye)),
  );
  const { baseColor, facts } = await project(mesh, views);
  expect(chartDifference(baseColor, patches)).toBeLessThan(5);
  expect(facts.seenShare).toBeGreaterThan(0.99);
  expect(facts.meanViews).toBeGreaterThan(3);
  expect(facts.gains.flatMap(({ gain }) => gain).every((g) => g === 1)).toBe(true);
  for (let i = 3; i < baseColor.data.length; i += 4) expect(baseColor.data[i]).toBe(255);
});

test('pages and sets of views change nothing, and neither does repetition', async () => {
  const mesh = box([1, 0.8, 1], 3);
  const views = await photograph(
    mesh,
    patches,
    AROUND.slice(0, 7).map((eye) => cameraAt(eye, 64)),
  );
  const options = { refineSteps: 1 };
  const whole = await project(mesh, views, options);
  const again = await project(mesh, views, options);
  const paged = await project(mesh, views, { ...options, pageTexels: SIZE * 17 });
  const budgeted = await project(mesh, views, { ...options, viewBudget: 64 * 64 * 10 * 3 });
  expect(again.baseColor.data).toEqual(whole.baseColor.data);
  // Another order of sums and another origin of the rasteriser's grid may round differently.
  for (const { baseColor } of [paged, budgeted]) {
    let worst = 0;
    whole.baseColor.data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - baseColor.data[i]));
    });
    expect(worst).toBeLessThanOrEqual(1);
  }
});

test('where views show things beside each other, detail keeps the contrast of one of them', async () => {
  const mesh = box([1, 1, 1], 4);
  const stripes = picture(SIZE, SIZE, (x) => (Math.floor(x / 4) % 2 ? [230, 225, 220] : [160, 30, 35]));
  // Four cameras before the sides, and four before the edges between, which are off by the width of a stripe.
  const eyes = Array.from({ length: 8 }, (_, i): Vec3 => {
    const a = (i * Math.PI) / 4;
    return [4.3 * Math.sin(a), 0, 4.3 * Math.cos(a)];
  });
  const cameras = eyes.map((eye) => cameraAt(eye));
  const views = (await photograph(mesh, stripes, cameras)).map((view, i) => {
    const { camera } = view;
    return { ...view, camera: { ...camera, cx: camera.cx + (i % 2) * 3 } };
  });
  const contrast = ({ baseColor: { data } }: { baseColor: ColorImage }): number => {
    let [sum, squares, n] = [0, 0, 0];
    for (const [x, y] of chartTexels([0, 4], 0.2)) {
      const v = data[(y * SIZE + x) * 4 + 1];
      sum += v;
      squares += v * v;
      n++;
    }
    return Math.sqrt(squares / n - (sum / n) ** 2);
  };
  const full = contrast({ baseColor: stripes });
  const blurred = contrast(await project(mesh, views));
  const told = contrast(
    await project(
      mesh,
      views.map((view) => ({ ...view, misplacement: 0.05 })),
    ),
  );
  expect(blurred).toBeLessThan(0.55 * full);
  expect(told).toBeGreaterThan(0.75 * full);
});

test('exposure differences between views are found and evened', async () => {
  const mesh = box([1, 1, 1], 4);
  const exposures = AROUND.map((_, i) => [0.75, 1, 1.2][i % 3]);
  const views = await photograph(
    mesh,
    patches,
    AROUND.map((eye) => cameraAt(eye)),
    ({ data }, view) => {
      // The factor applies to linear light; colours stay within the range.
      for (let i = 0; i < data.length; i++) {
        if (i % 4 !== 3) data[i] = 255 * ((data[i] / 255) ** 2.2 * exposures[view]) ** (1 / 2.2);
      }
    },
  );
  const evened = await project(mesh, views);
  const left = await project(mesh, views, { evenExposure: false });
  const mean = Math.exp(exposures.reduce((sum, e) => sum + Math.log(e), 0) / exposures.length);
  evened.facts.gains.forEach(({ gain }, i) => {
    for (const g of gain) expect(Math.abs(g * exposures[i] - mean)).toBeLessThan(0.04);
  });
  // What remains is one common factor; compare the unevenness around it.
  const unevenness = (image: ColorImage) => {
    const ratios: number[] = [];
    for (const [x, y] of chartTexels([0, 1, 2, 3, 4, 5])) {
      const at = (y * SIZE + x) * 4;
      ratios.push(Math.log((image.data[at] + 1) / (patches.data[at] + 1)));
    }
    const middle = ratios.reduce((a, b) => a + b, 0) / ratios.length;
    return Math.sqrt(ratios.reduce((a, b) => a + (b - middle) ** 2, 0) / ratios.length);
  };
  expect(unevenness(evened.baseColor)).toBeLessThan(0.6 * unevenness(left.baseColor));
});

test('what no view saw continues the colours around it over chart borders', async () => {
  const mesh = box([1, 1, 1], 2);
  const red = picture(SIZE, SIZE, () => [200, 60, 40]);
  const views = await photograph(
    mesh,
    red,
    AROUND.slice(0, 6).map((eye) => cameraAt(eye)),
  );
  const { baseColor, facts } = await project(mesh, views);
  expect(facts.seenShare).toBeLessThan(0.9);
  // Face 3 is the bottom, which none of the upper views sees; the gutter is filled too.
  for (let i = 0; i < baseColor.data.length; i += 4) {
    expect(Math.abs(baseColor.data[i] - 200)).toBeLessThanOrEqual(6);
    expect(Math.abs(baseColor.data[i + 1] - 60)).toBeLessThanOrEqual(6);
  }
});

test('background never bleeds in, even where masks are a pixel too wide', async () => {
  const mesh = box([1, 1, 1], 8, 1);
  const blue = picture(SIZE, SIZE, () => [40, 70, 200]);
  const views = await photograph(
    mesh,
    blue,
    // Nothing but these two sees the rim between them.
    [[0, 0, 4] as Vec3, [0, 0, -4] as Vec3].map((eye) => cameraAt(eye)),
    (image) => {
      const { width, data } = image;
      const alpha = data.filter((_, i) => i % 4 === 3);
      for (let i = 0; i < alpha.length; i++) {
        if (alpha[i] >= 200) continue;
        const near = [i - 1, i + 1, i - width, i + width].some((j) => alpha[j] >= 200);
        data.set([0, 255, 0, near ? 255 : 0], i * 4);
      }
    },
  );
  const { baseColor } = await project(mesh, views, { minimumCosine: 0.02 });
  let greenest = -255;
  for (let i = 0; i < baseColor.data.length; i += 4) {
    greenest = Math.max(greenest, baseColor.data[i + 1] - baseColor.data[i + 2]);
  }
  expect(greenest).toBeLessThan(-100);
});

test('a hidden surface does not take the colour of what hides it', async () => {
  // A small red square in front of a large blue one, seen from the front only and, past the small one, from the side.
  const back = square(1, -0.5);
  const front = square(0.4, 0.5);
  const mesh: Mesh = {
    positions: Float32Array.from([...back.positions, ...front.positions]),
    normals: Float32Array.from([...back.normals!, ...front.normals!]),
    // Left half of the texture for the back, right half for the front.
    uvs: Float32Array.from(
      [...back.uvs!, ...front.uvs!].map((x, i) => (i % 2 ? x : (x * 0.9 + 0.05 + (i < 8 ? 0 : 1)) / 2)),
    ),
    indices: Uint32Array.from([...back.indices, ...front.indices.map((i) => i + 4)]),
  };
  const halves = picture(SIZE, SIZE, (x) => (x < SIZE / 2 ? [30, 60, 210] : [210, 40, 30]));
  const views = await photograph(
    mesh,
    halves,
    [[0, 0, 4] as Vec3, [2.6, 0, 3] as Vec3].map((eye) => cameraAt(eye)),
  );
  const { baseColor } = await project(mesh, views);
  for (let y = 8; y < SIZE - 8; y++) {
    for (let x = 6; x < SIZE / 2 - 6; x++) {
      const at = (y * SIZE + x) * 4;
      expect(baseColor.data[at + 2] - baseColor.data[at]).toBeGreaterThan(120);
    }
  }
});

test('refinement brings renders closer to the views', async () => {
  const mesh = box([1, 1, 1], 4);
  const fine = picture(SIZE, SIZE, (x, y) => (((x >> 1) + (y >> 1)) % 2 ? [210, 190, 160] : [50, 70, 90]));
  const cameras = AROUND.map((eye) => cameraAt(eye, 72));
  const views = await photograph(mesh, fine, cameras);
  const difference = async (refineSteps: number) => {
    const { baseColor } = await project(mesh, views, { refineSteps });
    const renders = await photograph(mesh, baseColor, cameras);
    let sum = 0;
    for (const [i, view] of views.entries()) {
      const [a, b] = [await view.load(), await renders[i].load()];
      for (let k = 0; k < a.data.length; k++) sum += (a.data[k] - b.data[k]) ** 2;
    }
    return sum;
  };
  expect(await difference(6)).toBeLessThan(0.7 * (await difference(0)));
});

test('an abort ends the work with CANCELLED, and bad input is named', async () => {
  const mesh = box();
  const views = await photograph(mesh, patches, [cameraAt(AROUND[0])]);
  const abort = new AbortController();
  const run = projectTexture(
    gpu(),
    mesh,
    views,
    { size: SIZE },
    { signal: abort.signal, progress: () => abort.abort() },
  );
  await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(project(mesh, views, { size: 20_000 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  await expect(project(mesh, [])).rejects.toMatchObject({ code: 'METHOD_REQUIREMENTS' });
});
