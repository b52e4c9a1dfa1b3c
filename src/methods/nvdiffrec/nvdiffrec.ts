import type { Capture } from '../../capture/capture.js';
import { sha256 } from '../../core/digest.js';
import { PlinthError } from '../../core/errors.js';
import { halved, type Method, type MethodContext } from '../method.js';
import { type Checkpoint, checkpointKey, readCheckpoint, writeCheckpoint } from '../shared/checkpoint.js';
import { acceptShape } from '../shared/firstSurface.js';
import { STAGE_TITLES } from '../shared/stages.js';
import { stereoSeconds } from '../shared/stereo.js';
import { trainingViews } from '../shared/trainingViews.js';
import { finish } from './finish.js';
import { removeHighlights } from './metals/highlights.js';
import { tellMetals } from './metals/metals.js';
import { type NvdiffrecOptions, nvdiffrecOptions } from './options.js';
import { MANY_VIEWS, strengthened } from './priors/priors.js';
import { TEXEL_FLOATS } from './start/spreadTexels.js';
import { prepareStart, type Start } from './start/start.js';
import { cameraMotions, correctedCameras, motionFacts } from './step/cameraReport.js';
import { type Curves, optimize } from './step/optimize.js';
import { Optimizer } from './step/optimizer/optimizer.js';
import type { OptimizerState } from './step/optimizer/optimizerState.js';
import { loadWindows, WINDOW_MULTIPLE, type WindowSet } from './step/windows.js';
import { expectedSeconds } from './step/work.js';

const NAME = 'nvdiffrec';

// Seconds of a run of `standard` on two cores.
const FUSION_STAGES = { stereo: 240, load: 2, fuse: 8, clean: 4, unwrap: 4, texture: 8 } as const;

const SEEKING = [
  { name: 'concavities', title: 'Seeking concavities', weight: 4 },
  { name: 'topology', title: 'Seeking holes and hollows', weight: 1 },
];

const STAGES = [
  { name: 'views', title: 'Loading pictures', weight: 1 },
  ...Object.entries(FUSION_STAGES).flatMap(([name, weight]) => {
    const stage = { name, title: STAGE_TITLES[name as keyof typeof FUSION_STAGES], weight };
    return name === 'clean' ? [stage, ...SEEKING] : [stage];
  }),
  { name: 'light', title: 'Fitting the light', weight: 1 },
  { name: 'metals', title: 'Telling metal from paint', weight: 20 },
  { name: 'optimise', title: 'Optimising surface, materials and light', weight: 450 },
  { name: 'finish', title: 'Finishing textures', weight: 1 },
];

/**
 * Method `nvdiffrec`: mesh, materials and environment light found together by inverse rendering (Munkberg, Hasselgren
 * et al. 2022).
 */
export const nvdiffrec: Method<typeof nvdiffrecOptions> = {
  name: NAME,
  title: 'Inverse rendering of mesh, materials and light',
  description:
    'Starts from the surface that fusion makes, then renders it again and again and corrects vertices, base ' +
    'colour, roughness, metalness, relief and the ' +
    'environment light until the renderings agree with the pictures. The result can be lit anew. Needs ' +
    'cameras and masks; minutes on a CPU.',
  requirements: ['cameras', 'masks or a plain background', 'at least 2 views, better 20 or more'],
  options: nvdiffrecOptions,
  presets: {
    draft: {
      stereoDetail: 'draft',
      iterations: 300,
      imageSize: 256,
      triangles: 10_000,
      textureSize: 512,
      resolution: 160,
      lightSize: 16,
    },
    standard: { stereoDetail: 'draft' },
    high: {
      stereoDetail: 'high',
      iterations: 4000,
      imageSize: 1024,
      triangles: 60_000,
      resolution: 512,
      lightSize: 64,
    },
  },
  stages: STAGES,

  expectedSeconds(given, capture) {
    const views = trainingViews(capture);
    const longest = Math.max(...views.map(({ camera }) => Math.max(camera.width, camera.height)));
    return {
      ...expectedSeconds(strengthened(given, views.length), views.length, longest),
      stereo: stereoSeconds(capture, given),
    };
  },

  reduced(options) {
    return {
      ...options,
      batch: halved(options.batch, 1),
      imageSize: halved(options.imageSize, 64),
      resolution: halved(options.resolution, 32),
      textureSize: halved(options.textureSize, 128) as typeof options.textureSize,
    };
  },

  accepts(capture) {
    if (capture.masks === 'none') {
      throw new PlinthError('METHOD_REQUIREMENTS', {
        found: 'The capture has no masks',
        expected: 'pictures with alpha, a masks/ folder, depth maps or a plain background',
        remedy: 'Cut the object out of the pictures, or photograph it in front of a plain backdrop',
      });
    }
    acceptShape(capture);
  },

  async run(capture, given, context) {
    const options = strengthened(given, trainingViews(capture).length);
    const { gpu, signal, checkpoints } = context;
    const report = (stage: string, fraction: number, detail?: string, more: object = {}) =>
      context.progress({ stage, title: STAGES.find((s) => s.name === stage)!.title, fraction, detail, ...more });
    const seed = context.random.uint32();
    const windows = await loadWindows(
      trainingViews(capture),
      { maxSize: options.imageSize, multiple: WINDOW_MULTIPLE },
      { signal, progress: (f) => report('views', f) },
    );
    const key = await checkpointKey({ options, seed, views: await digest(windows), bounds: capture.bounds });
    const resumed = checkpoints && (await readCheckpoint(checkpoints, NAME, key));
    const begin = resumed ? startOf(resumed) : await begun(capture, options, seed, context, report);
    const { start } = begin;
    const optimizer = await Optimizer.create(
      gpu,
      start,
      options,
      windows.windows.map((w) => w.camera),
    );
    try {
      if (resumed) optimizer.restore(resumed.arrays as OptimizerState);
      const save = async (progress: { iteration: number; curves: Curves }) =>
        await writeCheckpoint(checkpoints!, NAME, {
          key,
          iteration: progress.iteration,
          facts: { start: start.facts, palette: [...start.palette], curves: progress.curves },
          arrays: { ...meshArrays(start), ...(await optimizer.state()) },
        });
      if (checkpoints && !resumed) await save({ iteration: 0, curves: begin.curves });
      const curves = await optimize(
        optimizer,
        windows,
        options,
        seed,
        { iteration: begin.iteration, curves: begin.curves, resumed: resumed !== undefined },
        {
          context,
          report: (fraction, detail, more) => report('optimise', fraction, detail, more),
          checkpoint: checkpoints ? save : undefined,
        },
      );
      report('finish', 0);
      const asset = await finish(optimizer.parameters, start.mesh, signal);
      const motions = await cameraMotions(optimizer.parameters, windows);
      asset.cameras = motions && correctedCameras(capture, windows, motions);
      asset.facts = {
        ...start.facts,
        cameras: motions && motionFacts(windows, motions),
        resumedAt: resumed?.iteration,
        series: series(curves),
      };
      report('finish', 1);
      return asset;
    } finally {
      optimizer.dispose();
    }
  },
};

interface Begin {
  start: Start;
  iteration: number;
  curves: Curves;
}

async function begun(
  capture: Capture,
  options: NvdiffrecOptions,
  seed: number,
  context: MethodContext,
  report: (stage: string, fraction: number, detail?: string, more?: object) => void,
): Promise<Begin> {
  const guess = await prepareStart(capture, options, context, report);
  report('metals', 0);
  const { start, texels, facts } = await tellMetals(capture, guess, options, seed, context, (f) => report('metals', f));
  report('metals', 1);
  // Where many pictures are blended, highlights have already given way to what most of them show.
  const highlightShare =
    trainingViews(capture).length < MANY_VIEWS
      ? removeHighlights(start.texels, guess.palette, TEXEL_FLOATS, texels)
      : 0;
  return {
    start: { ...start, facts: { ...start.facts, metals: facts, highlightShare } },
    iteration: 0,
    curves: { loss: [], psnr: [] },
  };
}

function startOf({ arrays, facts, iteration }: Checkpoint): Begin {
  const f32 = (name: string) => arrays[name] as Float32Array;
  return {
    start: {
      mesh: {
        positions: f32('startPositions'),
        indices: arrays.indices as Uint32Array,
        normals: f32('normals'),
        uvs: f32('uvs'),
        tangents: f32('tangents'),
      },
      texels: f32('texels'),
      light: [1, 1, 1],
      palette: Float64Array.from(facts.palette as number[]),
      facts: facts.start as Record<string, unknown>,
    },
    iteration,
    curves: facts.curves as Curves,
  };
}

function meshArrays({ mesh }: Start): Checkpoint['arrays'] {
  return {
    startPositions: mesh.positions,
    indices: mesh.indices,
    normals: mesh.normals!,
    uvs: mesh.uvs!,
    tangents: mesh.tangents!,
  };
}

const series = ({ loss, psnr }: Curves) => [
  { name: 'Loss', points: loss },
  { name: 'PSNR of the pictures', unit: 'dB', points: psnr },
];

/** Pictures and cameras in short: a checkpoint of others is none of this run. */
async function digest(set: WindowSet): Promise<string> {
  const parts: unknown[] = [];
  for (const { name, camera, image } of set.windows) parts.push([name, camera, await sha256(image.data)]);
  return await sha256(JSON.stringify(parts));
}
