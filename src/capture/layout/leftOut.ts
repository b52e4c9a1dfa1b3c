/** What a part of a capture is that was not used. `cameras`: metadata that state cameras. */
export type LeftOutKind = 'picture' | 'mask' | 'depth' | 'cameras';

/** Why a part of a capture was not used, in words for people. Programs match on the keys. */
export const LEFT_OUT_REASONS = {
  missing: 'named, but not there',
  'no-camera': 'no camera belongs to it',
  'not-solved': 'its camera was not solved',
  twice: 'named a second time',
  'no-mask': 'has no mask, where others have one',
  'no-picture': 'belongs to no picture in use',
  'other-model': 'another model was read',
  'other-cameras': 'other cameras were read',
  'not-read': 'of a format that is not read',
} as const;
/** Why a part of a capture was not used. */
export type LeftOutReason = keyof typeof LEFT_OUT_REASONS;

/** A part of a capture that was found or named and not used. */
export interface LeftOut {
  kind: LeftOutKind;
  /** Path in the capture, or the name that the metadata have for what is not there. */
  name: string;
  reason: LeftOutReason;
}

/** "3 pictures, 1 mask": how many parts were left out, by kind. */
export function countLeftOut(leftOut: readonly LeftOut[]): string {
  const words: Record<LeftOutKind, readonly [one: string, many: string]> = {
    picture: ['picture', 'pictures'],
    mask: ['mask', 'masks'],
    depth: ['depth map', 'depth maps'],
    cameras: ['file of cameras', 'files of cameras'],
  };
  return (Object.keys(words) as LeftOutKind[])
    .map((kind) => ({ kind, count: leftOut.filter((part) => part.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} ${words[kind][count === 1 ? 0 : 1]}`)
    .join(', ');
}
