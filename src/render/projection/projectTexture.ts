import { centerOf, diagonalOf } from '../../core/bounds.js';
import { worldToCamera } from '../../core/camera.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { type ColorImage, linearToSrgb, srgbToLinear } from '../../core/image.js';
import { smoothstep, transformPoint } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { assignDefaults } from '../../core/options.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';
import { defineKernel, linear } from '../../gpu/runtime/kernel.js';
import { type GeometryBuffers, uploadGeometry } from '../forward/geometryPass.js';
import { openness } from '../forward/openness.js';
import { continueStructure } from './complete/continueStructure.js';
import { inpaintShaded } from './complete/inpaint.js';
import { refineTexels, type TexelPage } from './refine/refine.js';
import { sharedDetail } from './refine/sharedDetail.js';
import { fillGutter } from './texels/gutter.js';
import { packPoints } from './texels/points.js';
import { surfaceGraph } from './texels/surfaceGraph.js';
import {
  APRON,
  createPagePoints,
  drawPageColors,
  type Page,
  pagesOf,
  RING,
  texelLength,
  type UvGeometry,
  uploadUvGeometry,
} from './texels/texelPoints.js';
import { solveGains, spreadPoints } from './views/gains.js';
import { collectSamples, type GatherSettings, gatherColors, ViewSource } from './views/gather.js';
import type { TextureView } from './views/viewSet.js';

export interface ProjectTextureOptions {
  /** Side of the square texture in texels, 16…8192. Default 2048. */
  size?: number;
  /**
   * Least cosine between a surface's normal and the direction to a view that may colour it, 0…1. Default 0.12 (83°).
   */
  minimumCosine?: number;
  /** Exponent of that cosine in a view's weight, ≥ 0: greater values let the best-facing views dominate. Default 2. */
  anglePower?: number;
  /** Exponent of a view's resolution in its weight, ≥ 0. Default 1 (by pixels per length). */
  resolutionPower?: number;
  /**
   * Width in pixels over which a view's weight fades towards its mask's border and depth edges. Default: 0.8 % of its
   * width, 3…16.
   */
  erosionPixels?: number;
  /**
   * How strongly darker colours are preferred where views differ, against highlights, ≥ 0. Default 8 for up to 6 views,
   * falling to 0 at 24: with many views the plain mean predicts new views best, with few a highlight stays where it
   * does not belong.
   */
  highlights?: number;
  /** Even out exposure and white balance between views. Default true; differences below 2 % are left alone. */
  evenExposure?: boolean;
  /**
   * Rounds of comparing renders with the views and correcting texels, 0…50. Default 0. Not above 4096 texels a side.
   */
  refineSteps?: number;
  /** Share of the mean difference by which a texel moves in each round, 0…1.9. Default 1. */
  refineStrength?: number;
  /**
   * Colours of the texels that no view sees, of the texture's size; they are brought to the views' brightness. Default:
   * what the surface around shows is continued.
   */
  unseen?: ColorImage;
  /** Memory on the device for views, in bytes. More views than fit are loaded several times. Default 320 MiB. */
  viewBudget?: number;
  /** Texels that are worked on at a time. Default 2²¹. */
  pageTexels?: number;
}

export interface ProjectTextureHooks {
  signal?: AbortSignal;
  /** 0…1 with a few words. */
  progress?: (fraction: number, detail: string) => void;
}

/** JSON-serialisable. */
export interface ProjectTextureFacts {
  size: number;
  /** Share of the texels inside charts that at least one view sees; the rest is in-painted. */
  seenShare: number;
  /** Share of the texture that charts cover. */
  chartShare: number;
  /** Views per seen texel, mean. */
  meanViews: number;
  /** Factors on linear red, green and blue per view, in the order of the views. All 1 where exposure was left alone. */
  gains: { name: string; gain: [number, number, number] }[];
}

export const PROJECT_TEXTURE_DEFAULTS = {
  size: 2048,
  minimumCosine: 0.12,
  anglePower: 2,
  resolutionPower: 1,
  evenExposure: true,
  refineSteps: 0,
  refineStrength: 1,
  viewBudget: 320 * 1024 * 1024,
  pageTexels: 1 << 21,
} satisfies ProjectTextureOptions;

/** Differences of linear gain below this are not corrected. */
const NEGLIGIBLE_GAIN = 0.02;
const GAIN_POINTS = 6000;
/** Sum of weights from which a texel is fully trusted. */
const ENOUGH = 3e-4;
/** Cells of the in-painting graph across the bounding box's diagonal, and its triangle limit. */
const GRAPH_CELLS = 96;
const GRAPH_TRIANGLES = 400_000;
const LARGEST_REFINED = 4096;
/** How far structures are continued into what no view saw, as a share of the texture's side: 48 texels of 2048. */
const STRUCTURE_REACH = 3 / 128;
/** Misplacement of views, as a share of the object's diagonal, from which the best-facing view alone is right. */
const APART = 1e-3;
/** Power of the cosine by which that view is then preferred: at 30° against 60° it counts eighty times as much. */
const FACING = 8;
/** From this many views on, their mean shows reflections smoothed out, and they count alike. */
const MANY_VIEWS = 24;

const finish = defineKernel({
  name: 'finishTexels',
  shader: new URL('./finish.wgsl', import.meta.url),
  bindings: {
    params: 'uniform',
    sums: 'read',
    support: 'read',
    behind: 'texture-unfilterable',
    states: 'read_write',
    texels: 'read_write',
  },
  uniforms: { count: 'u32', width: 'u32', enough: 'f32', apron: 'u32', ring: 'u32' },
});

const encode = defineKernel({
  name: 'encodeTexels',
  shader: new URL('./encode.wgsl', import.meta.url),
  bindings: { params: 'uniform', texels: 'read', states: 'read', pixels: 'read_write' },
  uniforms: { count: 'u32' },
});

/**
 * Makes a texture of a mesh from pictures: each texel is the weighted mean of what all views show of its surface point,
 * seen through the mesh's own depth and away from silhouettes; exposure is evened between views, highlights count less,
 * what no view saw is continued over the surface with its stripes and edges, texels are refined until renders agree
 * with the views, and gutters are filled. Deterministic.
 * @param mesh with normals and non-overlapping uvs in 0…1
 * @throws `OPTION_INVALID`, `CANCELLED`, and the device's coded errors
 */
export async function projectTexture(
  gpu: Gpu,
  mesh: Mesh,
  views: readonly TextureView[],
  options: ProjectTextureOptions = {},
  hooks: ProjectTextureHooks = {},
): Promise<{ baseColor: ColorImage; facts: ProjectTextureFacts }> {
  const o = assignDefaults(PROJECT_TEXTURE_DEFAULTS, options);
  checkInput(mesh, views, o);
  const { signal } = hooks;
  const geometry = uploadGeometry(gpu, mesh);
  const uv = uploadUvGeometry(gpu, mesh.uvs!, mesh.indices);
  const attributes: [GPUBuffer, GPUBuffer] = [gpu.upload(mesh.positions), gpu.upload(mesh.normals!)];
  const width = Math.max(...views.map(({ camera }) => camera.width));
  const erosionPixels = o.erosionPixels ?? Math.min(16, Math.max(3, width * 0.008));
  const source = new ViewSource(gpu, geometry, views, erosionPixels, o.viewBudget, signal);
  const settings = settingsFor(geometry, views, o);
  const pages: TexelPage[] = [];
  try {
    hooks.progress?.(0, `loading ${views.length} views`);
    if (o.evenExposure && views.length > 1) source.gains = await evenExposure(gpu, mesh, source, settings);
    hooks.progress?.(0.15, 'continuing the surface');
    const sameDetail = 1 - apartness(views, diagonalOf(geometry.bounds));
    const inpainted = await inpaintSurface(gpu, mesh, geometry, source, settings, sameDetail, signal);
    const texel = texelLength(mesh, o.size);
    const layout = pagesOf(o.size, o.pageTexels);
    const refines = o.refineSteps > 0 && o.size <= LARGEST_REFINED;
    const pixels = new Uint8Array(o.size * o.size * 4);
    const counts = { seen: 0, inside: 0, views: 0 };
    for (const [i, page] of layout.entries()) {
      throwIfCancelled(signal);
      hooks.progress?.(0.25 + (0.35 * i) / layout.length, `blending page ${i + 1} of ${layout.length}`);
      const finished = await blendPage(gpu, page, uv, attributes, inpainted, source, texel, settings, counts, signal);
      if (refines) pages.push(finished);
      else await storePage(gpu, finished, pixels);
    }
    inpainted.colors.destroy();
    destroyUv(inpainted.geometry);
    if (refines) {
      const strengths = Array.from({ length: o.refineSteps }, () => o.refineStrength);
      const refinement = { size: o.size, texel, gather: settings, strengths };
      await refineTexels(gpu, geometry, uv, pages, source, refinement, {
        signal,
        progress: (round) =>
          hooks.progress?.(0.6 + (0.35 * round) / o.refineSteps, `refining, round ${round + 1} of ${o.refineSteps}`),
      });
      for (const page of pages.splice(0)) await storePage(gpu, page, pixels);
    }
    countStates(pixels, counts);
    hooks.progress?.(0.95, 'filling gaps');
    if (o.unseen) takeUnseen(pixels, o.unseen);
    else await continueStructure(pixels, o.size, o.size, Math.max(8, o.size * STRUCTURE_REACH), signal);
    await fillGutter(pixels, o.size, o.size, signal);
    return {
      baseColor: { width: o.size, height: o.size, data: pixels },
      facts: {
        size: o.size,
        seenShare: counts.inside > 0 ? counts.seen / counts.inside : 0,
        chartShare: counts.inside / (o.size * o.size),
        meanViews: counts.seen > 0 ? counts.views / counts.seen : 0,
        gains: views.map(({ name }, i) => ({
          name,
          gain: source.gains[i].map((g) => g * g) as [number, number, number],
        })),
      },
    };
  } finally {
    await gpu.sync().catch(() => {});
    source.dispose();
    for (const page of pages) releasePage(gpu, page);
    for (const buffer of [geometry.positions, geometry.indices, ...attributes]) buffer.destroy();
    destroyUv(uv);
    gpu.trim();
  }
}

function checkInput(
  mesh: Mesh,
  views: readonly TextureView[],
  o: Required<Pick<ProjectTextureOptions, 'size'>> & Pick<ProjectTextureOptions, 'unseen'>,
): void {
  if (!Number.isInteger(o.size) || o.size < 16 || o.size > 8192) {
    throw new PlinthError('OPTION_INVALID', {
      found: `Texture size ${o.size}`,
      expected: 'a whole number from 16 to 8192',
    });
  }
  if (!mesh.normals || !mesh.uvs) throw new PlinthError('INTERNAL', 'A mesh without normals or uvs cannot be textured');
  if (mesh.indices.length === 0) throw new PlinthError('SURFACE_EMPTY', 'The mesh has no triangles to texture');
  if (o.unseen && (o.unseen.width !== o.size || o.unseen.height !== o.size)) {
    throw new RangeError(`colours of ${o.unseen.width} × ${o.unseen.height} texels for a texture of ${o.size}`);
  }
  if (views.length === 0) throw new PlinthError('METHOD_REQUIREMENTS', 'There are no views to take a texture from');
}

function settingsFor(
  { bounds }: GeometryBuffers,
  views: readonly TextureView[],
  o: Required<Omit<ProjectTextureOptions, 'erosionPixels' | 'highlights' | 'unseen'>> &
    Pick<ProjectTextureOptions, 'highlights'>,
): GatherSettings {
  const center = centerOf(bounds);
  const diagonal = diagonalOf(bounds);
  const footprints = views.map(({ camera }) => {
    const depth = -transformPoint(worldToCamera(camera), center)[2];
    return Math.max(depth, diagonal * 0.1) / Math.max(camera.fx, camera.fy);
  });
  const apart = apartness(views, diagonal);
  return {
    slack: diagonal * 2e-4,
    minimumCosine: o.minimumCosine,
    footprint: Math.min(...footprints),
    anglePower: o.anglePower,
    resolutionPower: o.resolutionPower,
    facing: FACING * apart,
    highlights: o.highlights ?? (1 - apart) * Math.min(8, Math.max(0, (MANY_VIEWS - views.length) * (8 / 18))),
  };
}

/**
 * How far views show things beside each other, 0…1. Their mean is then a blur of several edges, differences between
 * them are no reflections, and what is dark in one of them is another place: the view that faces a place best is right.
 */
const apartness = (views: readonly TextureView[], diagonal: number): number =>
  smoothstep(0, APART, views.reduce((sum, { misplacement = 0 }) => sum + misplacement, 0) / views.length / diagonal);

async function evenExposure(gpu: Gpu, mesh: Mesh, source: ViewSource, settings: GatherSettings): Promise<number[][]> {
  const spread = spreadPoints(mesh, GAIN_POINTS);
  const part = (offset: number) =>
    Float32Array.from({ length: GAIN_POINTS * 3 }, (_, i) => spread[Math.floor(i / 3) * 6 + offset + (i % 3)]);
  const points = gpu.upload(packPoints(part(0), part(3)), 'gain points');
  const samples = await collectSamples(gpu, source, points, GAIN_POINTS, 0, settings);
  points.destroy();
  const gains = solveGains(samples, GAIN_POINTS, source.count);
  const largest = Math.max(...gains.flat().map((g) => Math.abs(g * g - 1)));
  return largest < NEGLIGIBLE_GAIN ? gains.map(() => [1, 1, 1]) : gains;
}

/**
 * Vertex colours (square root of linear light) that cover the whole surface, with the finer mesh that carries them; as
 * `behind` in finish.wgsl.
 */
interface Inpainted {
  geometry: UvGeometry;
  colors: GPUBuffer;
}

/** @param sameDetail 0…1: how far detail that views do not share is a reflection, and none of theirs misplaced */
async function inpaintSurface(
  gpu: Gpu,
  mesh: Mesh,
  geometry: GeometryBuffers,
  source: ViewSource,
  settings: GatherSettings,
  sameDetail: number,
  signal?: AbortSignal,
): Promise<Inpainted> {
  const cell = diagonalOf(geometry.bounds) / GRAPH_CELLS;
  const graph = surfaceGraph(mesh, cell, GRAPH_TRIANGLES);
  const count = graph.positions.length / 3;
  const points = gpu.upload(packPoints(graph.positions, graph.normals), 'nodes');
  const { sums, support } = await gatherColors(gpu, source, points, count, cell / 2, settings, signal);
  const values = await gpu.readFloat32(sums, count * 4);
  const weights = await gpu.readFloat32(support, count * 2);
  gpu.release(sums, support);
  const colors = new Float32Array(count * 3);
  const seen = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    seen[i] = weights[i * 2] > ENOUGH ? 1 : 0;
    for (let c = 0; c < 3; c++) colors[i * 3 + c] = values[i * 4 + c] / Math.max(values[i * 4 + 3], 1e-20);
  }
  await inpaintShaded(graph, colors, seen, await openness(gpu, geometry, graph), signal);
  const trust = new Float32Array(count).fill(1);
  if (source.count > 1 && source.count < MANY_VIEWS && sameDetail > 0) {
    const samples = await collectSamples(gpu, source, points, count, cell / 2, settings);
    const detail = await sharedDetail(graph, samples, source.count, signal);
    for (let i = 0; i < count; i++) {
      if (!seen[i]) continue;
      colors.set(detail.means.subarray(i * 3, i * 3 + 3), i * 3);
      trust[i] = 1 - sameDetail * (1 - detail.trust[i]);
    }
  }
  points.destroy();
  const perVertex = new Float32Array(graph.nodeOf.length * 4);
  graph.nodeOf.forEach((node, v) => {
    perVertex.set([...colors.subarray(node * 3, node * 3 + 3), (1 + trust[node]) / 2], v * 4);
  });
  return {
    geometry: uploadUvGeometry(gpu, graph.uvs, graph.indices),
    colors: gpu.upload(perVertex, 'inpainted'),
  };
}

async function blendPage(
  gpu: Gpu,
  page: Page,
  uv: UvGeometry,
  attributes: [GPUBuffer, GPUBuffer],
  inpainted: Inpainted,
  source: ViewSource,
  texel: number,
  settings: GatherSettings,
  counts: { views: number },
  signal?: AbortSignal,
): Promise<TexelPage> {
  const count = page.size * page.rows;
  const surface = createPagePoints(gpu, page, uv, attributes);
  const { sums, support } = await gatherColors(gpu, source, surface.points, count, texel, settings, signal);
  const fill = drawPageColors(gpu, page, inpainted.geometry, inpainted.colors);
  const texels = gpu.acquire(count * 8, 'texels');
  const inside = await gpu.readUint32(surface.inside, count);
  gpu.run((batch) =>
    finish.dispatch(
      batch,
      { sums, support, behind: fill.createView(), states: surface.inside, texels },
      { count, width: page.size, enough: ENOUGH, apron: APRON, ring: RING },
      linear(count, 64),
    ),
  );
  const numbers = await gpu.readFloat32(support, count * 2);
  throwIfCancelled(signal);
  for (let i = 0; i < count; i++) if (inside[i] === 1) counts.views += numbers[i * 2 + 1];
  fill.destroy();
  gpu.release(sums, support);
  return { ...surface, texels };
}

/** Brings a page to the host with its states in alpha, and gives its buffers back. */
async function storePage(gpu: Gpu, finished: TexelPage, pixels: Uint8Array): Promise<void> {
  const { page, inside, texels } = finished;
  const count = page.size * page.rows;
  const bytes = gpu.acquire(count * 4, 'pixels');
  gpu.run((batch) => encode.dispatch(batch, { texels, states: inside, pixels: bytes }, { count }, linear(count, 64)));
  pixels.set(new Uint8Array(await gpu.read(bytes, 0, count * 4)), page.row * page.size * 4);
  gpu.release(bytes);
  releasePage(gpu, finished);
}

function releasePage(gpu: Gpu, { points, inside, texels }: TexelPage): void {
  gpu.release(points, inside, texels);
}

function destroyUv({ uvs, indices }: UvGeometry): void {
  uvs.destroy();
  indices.destroy();
}

/** Puts other colours where no view sees the surface, as bright as they are where views see it. */
function takeUnseen(pixels: Uint8Array, { data }: ColorImage): void {
  const [own, other] = [new Float64Array(3), new Float64Array(3)];
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] !== 3) continue;
    for (let c = 0; c < 3; c++) {
      own[c] += LINEAR[pixels[i + c]];
      other[c] += LINEAR[data[i + c]];
    }
  }
  const gains = own.map((sum, c) => (other[c] > 0 && sum > 0 ? Math.min(2, Math.max(0.5, sum / other[c])) : 1));
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] !== 2) continue;
    for (let c = 0; c < 3; c++) {
      pixels[i + c] = Math.round(255 * Math.min(1, linearToSrgb(gains[c] * LINEAR[data[i + c]])));
    }
  }
}

/** Linear light of each byte. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => srgbToLinear(byte / 255));

function countStates(pixels: Uint8Array, counts: { seen: number; inside: number }): void {
  for (let i = 3; i < pixels.length; i += 4) {
    if (pixels[i] >= 2) counts.inside++;
    if (pixels[i] === 3) counts.seen++;
  }
}
