import type { Job, JobRequest } from '../../api.js';
import type { Quality } from './quality.js';

type Made = Job['methods'][number];

/** Largest side that a texture can be asked for. */
const LARGEST_TEXTURE = 8192;

/** The request that follows a piece of advice, and the words of its button; undefined where only people can. */
export function remedyOf(
  advice: Quality['advice'][number],
  quality: Quality,
  { method, preset, options }: Made,
): { words: string; request: JobRequest } | undefined {
  const asMade = { method, preset, options } as Pick<JobRequest, 'method' | 'preset' | 'options'>;
  switch (advice.code) {
    case 'texture-coarse': {
      const side = textureFor(quality);
      if (side === undefined) return undefined;
      return { words: `Make again with a texture of ${side}`, request: withOption(asMade, 'textureSize', side) };
    }
    case 'highlights-baked':
    case 'highlights-lost':
      return quality.texture?.kind === 'baked' && method !== 'nvdiffrec'
        ? { words: 'Make again with nvdiffrec', request: { method: 'nvdiffrec' } }
        : undefined;
    case 'blurred':
    case 'silhouette-missing':
      return preset === 'high'
        ? undefined
        : { words: 'Make again in high quality', request: { ...asMade, preset: 'high' } };
    default:
      return undefined;
  }
}

const withOption = (
  request: Pick<JobRequest, 'method' | 'preset' | 'options'>,
  name: string,
  value: unknown,
): JobRequest => ({ ...request, options: { ...request.options, [name]: value } });

/** The power of two at which a texel is no larger than a pixel of the sharpest picture; undefined where it is so. */
function textureFor({ views, texture }: Quality): number | undefined {
  const densities = views.flatMap((v) => (v.group === 'input' && v.texelsPerPixel ? [v.texelsPerPixel] : []));
  if (!texture || densities.length === 0) return undefined;
  const side = Math.min(LARGEST_TEXTURE, 2 ** Math.ceil(Math.log2(texture.width / Math.min(...densities))));
  return side > texture.width ? side : undefined;
}
