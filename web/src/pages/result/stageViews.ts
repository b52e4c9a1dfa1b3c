import { filePath, picturePath } from '../../api.js';
import { percent } from '../../format.js';
import type { StageView } from '../../viewer/views.js';
import type { Quality, QualityView } from './quality.js';

const GROUPS: Record<string, string> = { input: 'used to make it', heldOut: 'held back', test: 'for testing' };

/** The pictures of a run as the stage shows them. Those without images are left out. */
export function stageViews(job: string, folder: string, quality: Quality): StageView[] {
  return quality.views.flatMap((view) =>
    view.images
      ? [
          {
            name: view.name,
            camera: view.camera,
            picture: picturePath(job, folder + view.images.input, 1280, true),
            thumbnail: picturePath(job, folder + view.images.input, 120, true),
            error: filePath(job, folder + view.images.error),
            psnr: view.psnr,
            facts: factsOf(view),
          },
        ]
      : [],
  );
}

const factsOf = (view: QualityView): string =>
  `PSNR ${view.psnr.toFixed(1)} dB, SSIM ${view.ssim.toFixed(3)}` +
  `${view.mask ? `, outlines overlap by ${percent(view.mask.iou)}` : ''} · ${GROUPS[view.group] ?? view.group}`;

/** Degrees above the horizon between which a picture shows a thing as people look at it. */
const EYE_LEVEL = [-10, 50] as const;

/**
 * The view in which the stage opens: the first one, for people begin with the side that matters, that looks at the
 * object from about eye level and comes back no worse than most.
 */
export function openingOf(quality: Quality): number {
  const views = quality.views.filter((v) => v.images);
  const sorted = views.map((v) => v.psnr).sort((a, b) => a - b);
  const usual = sorted[sorted.length >> 1] - 0.5;
  const found = views.findIndex((v) => {
    const [x, y, z] = v.camera.cameraToWorld.slice(8, 11);
    const elevation = (Math.atan2(y, Math.hypot(x, z)) * 180) / Math.PI;
    return v.group === 'input' && v.psnr >= usual && elevation >= EYE_LEVEL[0] && elevation <= EYE_LEVEL[1];
  });
  return Math.max(0, found);
}
