import type { Capture } from '../../capture/capture.js';
import { PlinthError, throwIfCancelled } from '../../core/errors.js';
import { type Mesh, triangleCount } from '../../core/mesh.js';
import { assignDefaults } from '../../core/options.js';
import { anyOf, option, step } from '../../core/remedy.js';
import { cleanMesh, SIMPLIFYING_BEGINS } from '../../geometry/mesh/repair/cleanMesh.js';
import { fuseSurface } from '../../geometry/volume/fuseSurface.js';
import type { MethodContext } from '../method.js';
import { writeMeshPreview } from './meshPreview.js';
import { STAGE_TITLES } from './stages.js';
import { type StereoChoice, type StereoDetail, withStereo } from './stereo.js';
import { loadSurfaceViews } from './surfaceViews.js';
import { trainingViews } from './trainingViews.js';

export interface FirstSurfaceOptions {
  /** Voxels along the longest side of the object. Default: as fine as the pictures show, at most `maxResolution`. */
  resolution?: number;
  /** Upper bound of the automatic resolution, in voxels. */
  maxResolution: number;
  /** Triangle budget. */
  triangles: number;
  /** Whether depth is measured where the capture has none, and how finely; see `withStereo`. Default: off. */
  stereo?: StereoChoice['stereo'];
  stereoDetail?: StereoDetail;
  /** As in `FuseOptions`. Default true. */
  hollow?: boolean;
  /** Taubin smoothing passes against stair-steps. Default 8. */
  smoothing?: number;
  /** Parts whose extent is below this share of the object are removed as specks. Default 0.01. */
  minimumPart?: number;
  /** Close open rims, where cleaning left any. Default false. */
  fillHoles?: boolean;
}

export const FIRST_SURFACE_DEFAULTS = {
  stereo: 'off',
  stereoDetail: 'standard',
  hollow: true,
  smoothing: 8,
  minimumPart: 0.01,
  fillHoles: false,
} as const;

/** Share of the measured depth maps that may be wrong about a place. */
const STEREO_CONSENSUS = 0.3;
/** As `minimumPart`, where depth was measured, or views do not quite fit together. */
const LEAST_UNCERTAIN_PART = 0.05;

/**
 * Throws `METHOD_REQUIREMENTS` where a capture has too little to make a surface of, `CAPTURE_NO_CAMERAS` where it has no
 * cameras.
 */
export function acceptShape(capture: Capture): void {
  if (capture.cameras === 'none') {
    throw new PlinthError('CAPTURE_NO_CAMERAS', {
      found: 'The photos were read without cameras',
      expected: 'cameras, which are found where the capture is read for a method that needs them',
      subject: capture.source,
    });
  }
  if (capture.masks === 'none' && !capture.views.some((v) => v.split === 'train' && v.depth)) {
    throw new PlinthError('METHOD_REQUIREMENTS', {
      found: 'The capture has neither masks nor depth maps',
      expected: 'pictures with alpha, a masks/ folder, depth maps or a plain background',
      remedy: 'Cut the object out of the pictures, or photograph it in front of a plain backdrop',
    });
  }
  if (trainingViews(capture).length < 2) {
    throw new PlinthError('METHOD_REQUIREMENTS', {
      found: `The capture has ${trainingViews(capture).length} view to work with`,
      expected: 'at least 2, better 20 or more from all around',
      remedy: anyOf(step`add views`, step`lower ${option('holdout')}`),
    });
  }
}

/**
 * The surface that depth maps and outlines of the training views leave, cleaned and simplified; without UVs. Reports
 * `stereo`, `load`, `fuse` and `clean`.
 */
export async function firstSurface(
  posed: Capture,
  given: FirstSurfaceOptions,
  context: MethodContext,
): Promise<{ mesh: Mesh; facts: Record<string, unknown> }> {
  const options = assignDefaults(FIRST_SURFACE_DEFAULTS, given);
  const { gpu, signal, runInThread } = context;
  const report = (stage: 'load' | 'fuse' | 'clean', fraction: number, detail?: string, preview?: string) =>
    context.progress({ stage, title: STAGE_TITLES[stage], fraction, detail, preview });
  const { capture, facts: stereo } = await withStereo(posed, options, context);
  const maxSize = 2 * (options.resolution ?? options.maxResolution);
  const views = await loadSurfaceViews(
    capture,
    { maxSize: Math.max(1024, maxSize) },
    { signal, progress: (f) => report('load', f) },
  );
  // What no depth map shows of a vessel is then as likely a gap as its hidden side.
  const uncertain = trainingViews(capture).some((view) => view.depth?.fromPictures);
  const fused = await fuseSurface(
    gpu,
    views,
    capture.bounds,
    {
      resolution: options.resolution,
      maxResolution: options.maxResolution,
      hollow: options.hollow && !uncertain,
      consensus: uncertain ? STEREO_CONSENSUS : 0,
    },
    { signal, progress: (f) => report('fuse', f) },
  );
  throwIfCancelled(signal);
  // Hidden space between places that were measured stands alone at times, and so does what one view shows beside the
  // place where the others have it.
  const inPieces = uncertain || views.some((view) => view.misplacement);
  const minimumPart = inPieces ? Math.max(options.minimumPart, LEAST_UNCERTAIN_PART) : options.minimumPart;
  const cleaning = { ...options, minimumPart };
  report('clean', 0, undefined, await writeMeshPreview(fused.mesh, 'fused', context));
  const simplified = await cleanMesh(fused.mesh, cleaning, {
    runInThread,
    signal,
    progress: (f) => report('clean', f, f < SIMPLIFYING_BEGINS ? 'smoothing' : 'simplifying'),
  });
  report('clean', 1, undefined, await writeMeshPreview(simplified.mesh, 'simplified', context));
  return {
    mesh: simplified.mesh,
    facts: {
      ...(stereo && { stereo }),
      fusion: fused.facts,
      simplification: { triangles: triangleCount(simplified.mesh), error: simplified.error },
    },
  };
}
