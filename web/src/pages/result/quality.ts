import { useEffect, useState } from 'react';
import { api, fetchPath, filePath, type JobFile } from '../../api.js';

interface Total {
  mean: number;
  worst: number;
  worstView: string;
}
interface Totals {
  views: number;
  status: Status;
  psnr: Total;
  ssim: Total;
  psnrInMask: Total | null;
  maskIou: Total | null;
  depthMae: Total | null;
}
export type Status = 'normal' | 'warning' | 'failure';

export interface QualityView {
  name: string;
  group: string;
  status: Status;
  psnr: number;
  ssim: number;
  mask?: { iou: number } | null;
  texelsPerPixel?: number | null;
  camera: { cameraToWorld: number[]; width: number; height: number; fx: number; fy: number; cx: number; cy: number };
  images?: { input: string; render: string; error: string } | null;
}

/** The parts of `quality.json` that the page shows (docs/quality.schema.json describes it whole). */
export interface Quality {
  status: Status;
  statusOfUnseen: Status | null;
  psnr: number;
  ssim: number;
  heldOutGap: number | null;
  verdict: string;
  limits?: { code: string; message: string }[];
  likelyCause?: string | null;
  advice: { code: string; severity: string; message: string; views?: string[] }[];
  totals: { input: Totals | null; heldOut: Totals | null; test: Totals | null };
  views: QualityView[];
  mesh: {
    triangles: number;
    vertices: number;
    components: number;
    watertight: boolean;
    area: number;
    volume: number | null;
    bounds: { min: number[]; max: number[] };
  };
  texture: { kind: string; width: number; height: number; unseenShare?: number } | null;
  capture: { scaleKnown: boolean };
  method?: { name: string; preset: string };
  run: { seconds: number; adapter: { device: string }; peakMemoryBytes?: number };
}

export interface Run {
  quality: Quality | undefined;
  /** Files of this run. */
  files: JobFile[];
  /** Folder of the run within the job's result; empty where the job has one run only. */
  folder: string;
  error: unknown;
}

/** Quality and files of one run of a job. */
export function useRun(job: string | undefined, run: string | undefined): Run | undefined {
  const [found, setFound] = useState<Run & { of: string }>();
  const of = `${job}/${run}`;
  useEffect(() => {
    if (!job || !run) return;
    let gone = false;
    const load = async (): Promise<Run> => {
      const all = await api.files(job);
      const folder = all.some((f) => f.name === `${run}/quality.json`) ? `${run}/` : '';
      const files = all.filter((f) => f.name.startsWith(folder));
      const response = await fetchPath(filePath(job, `${folder}quality.json`));
      const quality = (await response.json()) as Quality;
      // A report of another shape must not break the page: the model is shown without it.
      return { files, folder, quality: quality.totals && quality.views ? quality : undefined, error: undefined };
    };
    load()
      .catch((error): Run => ({ files: [], folder: '', quality: undefined, error }))
      .then((answer) => {
        if (!gone) setFound({ ...answer, of });
      });
    return () => {
      gone = true;
    };
  }, [job, run, of]);
  return found?.of === of ? found : undefined;
}
