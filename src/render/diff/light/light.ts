import type { HdrImage } from '../../../core/image.js';
import type { Batch } from '../../../gpu/runtime/batch.js';
import type { Gpu } from '../../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../../gpu/runtime/kernel.js';
import { cubeDirection, integrateBrdf } from '../../forward/environmentLight.js';
import type { DiffLight, Gradients } from '../types.js';
import {
  buildLightFilter,
  cubeTexel,
  type LightLayout,
  lightLayout,
  type SparseMatrix,
  transposeMatrix,
} from './lightFilter.js';

/** Size of the table of the BRDF's scale and bias. */
export const BRDF_SIZE = 64;
/** Bounds of the light's parameters: radiance 0.0009 … 8,100. */
export const LIGHT_RANGE: readonly [number, number] = [-7, 9];

const shader = new URL('./light.wgsl', import.meta.url);
const uniforms = { size: 'u32', count: 'u32', offset: 'u32', levels: 'u32', scale: 'f32' } as const;

const buildPyramid = defineKernel({
  name: 'light pyramid',
  shader,
  entryPoint: 'buildPyramid',
  bindings: { params: 'uniform', parameters: 'read', pyramid: 'read_write' },
  uniforms,
});

const filterLight = defineKernel({
  name: 'filter light',
  shader,
  entryPoint: 'filterLight',
  bindings: {
    params: 'uniform',
    starts: 'read',
    columns: 'read',
    weights: 'read',
    squares: 'read',
    sums: 'read_write',
  },
  uniforms,
});

const filterLightBackward = defineKernel({
  name: 'filter light backward',
  shader,
  entryPoint: 'filterLightBackward',
  bindings: {
    params: 'uniform',
    starts: 'read',
    columns: 'read',
    weights: 'read',
    scatter: 'read',
    sums: 'read_write',
  },
  uniforms,
});

const pyramidBackward = defineKernel({
  name: 'light pyramid backward',
  shader,
  entryPoint: 'pyramidBackward',
  bindings: { params: 'uniform', parameters: 'read', pyramid: 'read_write', gradient: 'read_write' },
  uniforms,
});

interface Filter {
  layout: LightLayout;
  forward: Record<keyof SparseMatrix, GPUBuffer>;
  backward: Record<keyof SparseMatrix, GPUBuffer>;
}

/** One per device and size: it does not depend on the light. */
function lightFilter(gpu: Gpu, size: number): Promise<Filter> {
  return gpu.cached(`light filter ${size}`, async () => {
    const layout = lightLayout(size);
    const matrix = await buildLightFilter(layout);
    const upload = ({ starts, columns, weights }: SparseMatrix) => ({
      starts: gpu.upload(starts, 'light rows'),
      columns: gpu.upload(columns, 'light columns'),
      weights: gpu.upload(weights, 'light weights'),
    });
    return { layout, forward: upload(matrix), backward: upload(transposeMatrix(matrix, layout.pyramidCount)) };
  });
}

const filters = new WeakMap<DiffLight, Filter>();

/**
 * A light on the device.
 * @param initial radiance: the same everywhere, or an equirectangular map (convention of `Asset.environment`)
 * @param size face size of the cube map: 16, 32 or 64. Default 32.
 */
export async function createDiffLight(
  gpu: Gpu,
  initial: readonly [number, number, number] | HdrImage,
  size = 32,
): Promise<DiffLight> {
  const filter = await lightFilter(gpu, size);
  const { texelCount } = filter.layout;
  const table = new Float32Array(BRDF_SIZE * BRDF_SIZE * 4);
  for (let i = 0; i < BRDF_SIZE * BRDF_SIZE; i++) {
    table.set(integrateBrdf(((i % BRDF_SIZE) + 0.5) / BRDF_SIZE, (Math.floor(i / BRDF_SIZE) + 0.5) / BRDF_SIZE), i * 4);
  }
  const filtered = gpu.createBuffer((texelCount + BRDF_SIZE * BRDF_SIZE) * 16, 'filtered light');
  gpu.write(filtered, table, texelCount * 16);
  const light = { size, parameters: gpu.upload(lightParameters(initial, size), 'light'), filtered, texelCount };
  filters.set(light, filter);
  return light;
}

/** Frees the light's buffers (the filter stays, for other lights of its size). */
export function destroyDiffLight(light: DiffLight): void {
  light.parameters.destroy();
  light.filtered.destroy();
}

/**
 * Logarithms of radiance on a cube map of face size `size`, [6 × size × size × 3], from one colour or an
 * equirectangular map.
 */
export function lightParameters(initial: readonly [number, number, number] | HdrImage, size: number): Float32Array {
  const texels = 6 * size * size;
  const sums = new Float64Array(texels * 3);
  const angles = new Float64Array(texels);
  if ('data' in initial) {
    const { width, height, data } = initial;
    // Samples finer than both maps, so that each texel of the cube gets the mean of what it covers.
    const rows = Math.max(height, size * 8);
    const columns = rows * 2;
    for (let y = 0; y < rows; y++) {
      const polar = ((y + 0.5) / rows) * Math.PI;
      for (let x = 0; x < columns; x++) {
        const azimuth = ((x + 0.5) / columns - 0.5) * 2 * Math.PI;
        const d = [Math.sin(azimuth) * Math.sin(polar), Math.cos(polar), -Math.cos(azimuth) * Math.sin(polar)];
        const { face, x: tx, y: ty } = cubeTexel(d, size);
        const at = (face * size + ty) * size + tx;
        const from = (Math.floor((y * height) / rows) * width + Math.floor((x * width) / columns)) * 3;
        angles[at] += Math.sin(polar);
        for (let c = 0; c < 3; c++) sums[at * 3 + c] += data[from + c] * Math.sin(polar);
      }
    }
  } else {
    for (let i = 0; i < texels; i++) {
      angles[i] = 1;
      sums.set(initial, i * 3);
    }
  }
  return Float32Array.from(sums, (sum, i) => {
    const value = Math.log(Math.max(1e-9, sum / angles[Math.floor(i / 3)]));
    return Math.min(LIGHT_RANGE[1], Math.max(LIGHT_RANGE[0], value));
  });
}

/**
 * The light as an equirectangular map (convention of `Asset.environment`), bilinear across faces. `width` = 2 · height.
 */
export function lightToEquirectangular(parameters: Float32Array, size: number, height = size * 4): HdrImage {
  const width = height * 2;
  const data = new Float32Array(width * height * 3);
  const radiance = Float32Array.from(parameters, Math.exp);
  for (let y = 0; y < height; y++) {
    const polar = ((y + 0.5) / height) * Math.PI;
    for (let x = 0; x < width; x++) {
      const azimuth = ((x + 0.5) / width - 0.5) * 2 * Math.PI;
      const d = [Math.sin(azimuth) * Math.sin(polar), Math.cos(polar), -Math.cos(azimuth) * Math.sin(polar)];
      const at = (y * width + x) * 3;
      for (const [texel, weight] of bilinearCube(d, size)) {
        for (let c = 0; c < 3; c++) data[at + c] += radiance[texel * 3 + c] * weight;
      }
    }
  }
  return { width, height, data };
}

function bilinearCube(d: readonly number[], size: number): [number, number][] {
  const { face } = cubeTexel(d, size);
  const major = Math.max(...d.map(Math.abs));
  const s = [-d[2], d[2], d[0], d[0], d[0], -d[0]][face] / major;
  const t = [-d[1], -d[1], d[2], -d[2], -d[1], -d[1]][face] / major;
  const u = ((s + 1) / 2) * size - 0.5;
  const v = ((t + 1) / 2) * size - 0.5;
  const x = Math.floor(u);
  const y = Math.floor(v);
  return [0, 1, 2, 3].map((k) => {
    const [dx, dy] = [k & 1, k >> 1];
    const texel = cubeTexel(cubeDirection(face, x + dx, y + dy, size), size);
    const weight = (dx ? u - x : 1 - u + x) * (dy ? v - y : 1 - v + y);
    return [(texel.face * size + texel.y) * size + texel.x, weight];
  });
}

/** Records parameters → filtered maps. Needed after each change of the parameters. */
export function recordLight(batch: Batch, light: DiffLight): void {
  const { layout, forward } = filterOf(light);
  const pyramid = batch.scratch(layout.pyramidCount * 16, 'light pyramid');
  const common = { size: light.size, offset: 0, levels: layout.pyramid.length, scale: 1 };
  buildPyramid.dispatch(
    batch,
    { parameters: light.parameters, pyramid },
    { ...common, count: layout.pyramidCount },
    linear(layout.pyramidCount, 64),
  );
  filterLight.dispatch(
    batch,
    { ...forward, squares: pyramid, sums: light.filtered },
    { ...common, count: layout.texelCount },
    linear(layout.texelCount, 64),
  );
}

/** Records the gradient of the filtered maps (in `gradients.scatter`) → `gradients.light`. */
export function recordLightBackward(batch: Batch, light: DiffLight, gradients: Gradients): void {
  if (!gradients.light) throw new RangeError('these gradients were made for a scene without light');
  const { layout, backward } = filterOf(light);
  const pyramid = batch.scratch(layout.pyramidCount * 16, 'light pyramid gradient');
  const common = {
    size: light.size,
    offset: gradients.lightOffset,
    levels: layout.pyramid.length,
    scale: gradients.scales.light,
  };
  filterLightBackward.dispatch(
    batch,
    { ...backward, scatter: gradients.scatter, sums: pyramid },
    { ...common, count: layout.pyramidCount },
    linear(layout.pyramidCount, 64),
  );
  const texels = 6 * light.size ** 2;
  pyramidBackward.dispatch(
    batch,
    { parameters: light.parameters, pyramid, gradient: gradients.light },
    { ...common, count: texels },
    linear(texels, 64),
  );
}

function filterOf(light: DiffLight): Filter {
  const filter = filters.get(light);
  if (!filter) throw new RangeError('a light must come from createDiffLight');
  return filter;
}
