import { type Command, Option } from 'commander';
import { MASK_SOURCES, type MaskSource, type ReadOptions, type StatedLength } from '../capture/options.js';
import type { SixViewOptions } from '../capture/sixView/options.js';
import type { Bounds } from '../core/bounds.js';
import { PlinthError } from '../core/errors.js';
import { parseLength, SCALE_HELP } from './statedLength.js';
import { numberFlag } from './terminal.js';

/** Flags that say how a capture is to be understood. */
export interface CaptureFlags {
  masks?: MaskSource;
  invertMasks?: boolean;
  strict?: boolean;
  depthScale?: number;
  scale?: StatedLength;
  depthOffset?: number;
  depth?: SixViewOptions['depth'];
  focal?: number;
  fieldOfView?: number;
  distance?: number;
  left?: SixViewOptions['left'];
  topTurn?: number;
  bottomTurn?: number;
  allowMissing?: boolean;
  maxPixels?: number;
  maxViews?: number;
  maxArchiveBytes?: number;
  maxArchiveEntries?: number;
  maxArchiveRatio?: number;
}

/** Adds them to a command. */
export function addCaptureOptions(command: Command): void {
  command
    .optionsGroup('How the capture is understood:')
    .addOption(new Option('--masks <source>', 'where masks come from').choices(MASK_SOURCES).default('auto'))
    .option('--invert-masks', 'exchange object and background in the masks that are given')
    .option('--strict', 'refuse a capture that gives any warning')
    .option('--depth-scale <units>', 'scene units per step of an integer depth map', numberFlag('--depth-scale'))
    .option('--max-pixels <count>', 'refuse images with more pixels than this', numberFlag('--max-pixels'))
    .option('--max-views <count>', 'refuse captures with more pictures than this', numberFlag('--max-views'))
    .option('--max-archive-bytes <count>', 'refuse archives that unpack to more', numberFlag('--max-archive-bytes'))
    .option('--max-archive-entries <count>', 'refuse archives of more entries', numberFlag('--max-archive-entries'))
    .option(
      '--max-archive-ratio <factor>',
      'refuse archives that unpack to more times their size',
      numberFlag('--max-archive-ratio'),
    )
    .optionsGroup('Photos whose cameras are found:')
    .option('--scale <length>', SCALE_HELP, parseLength)
    .optionsGroup('Six named views (front, back, left, right, top, bottom), found from the pictures where not given:')
    .option('--focal <ratio>', 'focal length over picture width', numberFlag('--focal'))
    .option('--field-of-view <degrees>', 'horizontal field of view', numberFlag('--field-of-view'))
    .option(
      '--distance <units>',
      "the cameras' distance from the common centre; sets the scale",
      numberFlag('--distance'),
    )
    .addOption(new Option('--left <whose>', 'whose left the view `left` shows').choices(['auto', 'viewer', 'object']))
    .option('--top-turn <degrees>', 'clockwise turn of the picture `top`: 0, 90, 180, 270', numberFlag('--top-turn'))
    .option('--bottom-turn <degrees>', 'clockwise turn of the picture `bottom`', numberFlag('--bottom-turn'))
    .addOption(new Option('--depth <kind>', 'what depth values mean').choices(['auto', 'metric', 'relative']))
    .option('--depth-offset <units>', 'scene units at value 0 of metric depth', numberFlag('--depth-offset'))
    .option('--allow-missing', 'go on where up to two of the six views are missing')
    .optionsGroup('Other:');
}

/** Flags that say what the object in photos is. */
export interface ObjectFlags {
  object: 'auto' | 'none';
  box?: Bounds;
  rectangles?: string;
  work?: string;
}

function boxFlag(text: string): Bounds {
  const numbers = text.split(/[\s,]+/).map(Number);
  const [a, b, c, d, e, f] = numbers;
  if (numbers.length === 6 && numbers.every(Number.isFinite) && a < d && b < e && c < f) {
    return { min: [a, b, c], max: [d, e, f] };
  }
  throw new PlinthError('OPTION_INVALID', {
    found: `--box ${text}`,
    expected: 'six numbers by commas: the least x, y, z of a box, then the greatest',
    subject: 'box',
  });
}

/** Adds what completes a capture of photos. */
export function addObjectOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--object <what>', 'find and cut out the object where there are no masks, or keep the whole scene')
        .choices(['auto', 'none'])
        .default('auto'),
    )
    .option('--box <numbers>', 'a box around the object: least x,y,z and greatest x,y,z, as inspect prints it', boxFlag)
    .option('--rectangles <file>', 'JSON with rectangles around the object: {"photo.jpg": [left, top, right, bottom]}')
    .option('--work <folder>', 'where cameras and masks that were found are kept (default: in the cache)');
}

/** The reader's options for these flags. */
export function captureOptions(flags: CaptureFlags): ReadOptions {
  return {
    masks: flags.masks,
    invertMasks: flags.invertMasks,
    strict: flags.strict,
    maxPixels: flags.maxPixels,
    maxViews: flags.maxViews,
    maxArchiveBytes: flags.maxArchiveBytes,
    maxArchiveEntries: flags.maxArchiveEntries,
    maxArchiveRatio: flags.maxArchiveRatio,
    depthScale: flags.depthScale,
    scale: flags.scale,
    sixView: {
      left: flags.left,
      topTurn: flags.topTurn as SixViewOptions['topTurn'],
      bottomTurn: flags.bottomTurn as SixViewOptions['bottomTurn'],
      focal: flags.focal,
      fieldOfView: flags.fieldOfView,
      distance: flags.distance,
      depth: flags.depth,
      depthScale: flags.depthScale,
      depthOffset: flags.depthOffset,
      allowMissing: flags.allowMissing,
    },
  };
}
