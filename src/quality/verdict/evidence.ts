import type { Capture } from '../../capture/capture.js';
import type { Assessment, QualityData } from '../schema.js';

/**
 * What verdict and advice look at: the assessment and what is known of the capture.
 * @param unseenShare share of the surface that no picture shows, where the method tells it and the assessment does not.
 */
export function evidenceOf(
  assessment: Assessment,
  capture: Capture,
  unseenShare: number | null = null,
): Assessment & Pick<QualityData, 'capture'> {
  const count = (group: string) => assessment.views.filter((v) => v.group === group).length;
  return {
    ...assessment,
    texture: { ...assessment.texture, unseenShare: assessment.texture.unseenShare ?? unseenShare },
    capture: {
      name: capture.name,
      format: capture.format,
      views: {
        input: count('input'),
        heldOut: count('heldOut'),
        test: count('test'),
        withDepth: capture.views.filter((v) => v.depth).length,
      },
      masks: capture.masks,
      inputToWorld: [...capture.inputToWorld],
      scaleKnown: capture.scaleKnown,
      bounds: { min: [...capture.bounds.min], max: [...capture.bounds.max] },
      estimated: capture.estimated ?? null,
    },
  };
}
