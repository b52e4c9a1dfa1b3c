import { type Bounds, sizeOf } from '../core/bounds.js';
import { cameraPosition } from '../core/camera.js';
import type { Warning } from '../core/context.js';
import type { Mat4, Vec3 } from '../core/math.js';
import type { Capture, CaptureFormat, View } from './capture.js';
import { mapLimited } from './concurrency.js';
import { LEFT_OUT_REASONS, type LeftOut } from './layout/leftOut.js';
import { surveyView } from './survey.js';

export { type DrawCamerasOptions, drawCameras } from './draw/drawCameras.js';
export { type DrawViewsOptions, drawViews } from './draw/drawViews.js';

/** What was understood of one view. */
export interface ViewInspection {
  name: string;
  source: string;
  split: 'train' | 'test';
  /** Pixels of the undistorted picture. */
  width: number;
  height: number;
  /** Pixels. */
  focal: [number, number];
  principalPoint: [number, number];
  /** Degrees, horizontal and vertical. */
  fieldOfView: [number, number];
  /** Camera position in world space. */
  position: Vec3;
  /** Share of the picture's pixels with alpha above ½; absent where the capture has no masks. */
  maskCoverage?: number;
  depth?: {
    source: string;
    width: number;
    height: number;
    /** 1st and 99th percentile, scene units. */
    near: number;
    far: number;
    /** Expected absolute error, scene units. */
    accuracy: number;
  };
}

/** A part of the capture that was not used. */
export interface LeftOutInspection extends LeftOut {
  /** The reason in words. */
  why: string;
  /** Where its camera stands in world space, where that is known. */
  position?: Vec3;
}

/** What was understood of a capture. JSON-serialisable. */
export interface Inspection {
  name: string;
  source: string;
  format: CaptureFormat;
  masks: Capture['masks'];
  scaleKnown: boolean;
  bounds: Bounds & { size: Vec3 };
  inputToWorld: Mat4;
  views: ViewInspection[];
  /** What was found or named and not used: pictures, masks, depth maps, cameras. */
  leftOut: LeftOutInspection[];
  estimated?: Record<string, unknown>;
  warnings: Warning[];
}

/** Looks at every view of a capture (each is decoded once) and says what was understood. */
export async function inspectCapture(capture: Capture, signal?: AbortSignal): Promise<Inspection> {
  const { min, max } = capture.bounds;
  const hasMasks = capture.masks !== 'none';
  return {
    name: capture.name,
    source: capture.source,
    format: capture.format,
    masks: capture.masks,
    scaleKnown: capture.scaleKnown,
    bounds: { min, max, size: sizeOf(capture.bounds) },
    inputToWorld: capture.inputToWorld,
    views: await mapLimited(capture.views, 2, (view) => inspectView(view, hasMasks), signal),
    leftOut: (capture.leftOut ?? []).map(({ kind, name, reason, cameraToWorld: m }) => ({
      kind,
      name,
      reason,
      why: LEFT_OUT_REASONS[reason],
      position: m && [m[12], m[13], m[14]],
    })),
    estimated: capture.estimated,
    warnings: capture.warnings,
  };
}

async function inspectView(view: View, hasMasks: boolean): Promise<ViewInspection> {
  const { camera, name, source, split, depth } = view;
  const { width, height, fx, fy, cx, cy } = camera;
  const survey = surveyView(await view.loadColor(), await depth?.load());
  const degrees = (size: number, focal: number): number => (360 / Math.PI) * Math.atan(size / 2 / focal);
  return {
    name,
    source,
    split,
    width,
    height,
    focal: [fx, fy],
    principalPoint: [cx, cy],
    fieldOfView: [degrees(width, fx), degrees(height, fy)],
    position: cameraPosition(camera),
    maskCoverage: hasMasks ? survey.coverage : undefined,
    depth: depth &&
      survey.depth && {
        source: depth.source,
        width: depth.camera.width,
        height: depth.camera.height,
        near: survey.depth.range[0],
        far: survey.depth.range[1],
        accuracy: depth.accuracy,
      },
  };
}
