import { PlinthError } from '../../core/errors.js';
import { assignDefaults } from '../../core/options.js';

/**
 * How six named views are understood where there are no cameras. Everything that is not given is found from the
 * pictures.
 */
export interface SixViewOptions {
  /**
   * Whose left the view `left` shows: `viewer` (the camera stands to the left of the front camera) or `object` (the
   * object's own left, as it faces the front camera: the camera stands to the right). Default: `auto`, by which of the
   * two fits.
   */
  left?: 'auto' | 'viewer' | 'object';
  /**
   * Degrees by which the picture `top` is turned clockwise, against the one with the front view's right to the right
   * and the front side at the bottom. Default: `auto`.
   */
  topTurn?: 'auto' | 0 | 90 | 180 | 270;
  /**
   * The same for `bottom`, whose unturned picture has the front view's right to the right and the front side at the
   * top. Default: `auto`.
   */
  bottomTurn?: 'auto' | 0 | 90 | 180 | 270;
  /**
   * Focal length over picture width, 0.3…30. Default: found; where the pictures do not determine it, 50/36 (a 50 mm
   * lens).
   */
  focal?: number;
  /** Horizontal field of view in degrees, 2…120; another way to say `focal`. Default: found. */
  fieldOfView?: number;
  /**
   * Distance from every camera to the common centre, in scene units, above 0. It sets the scale of the scene. Default:
   * 3.2; with metric depth it is found from the depth.
   */
  distance?: number;
  /**
   * `metric`: depth = value × `depthScale` + `depthOffset` in every view. `relative`: every map has a scale and an
   * offset of its own, which are found. Default: `auto`: metric where `depthScale` is given, else relative.
   */
  depth?: 'auto' | 'metric' | 'relative';
  /** Scene units per step of the depth images' values, above 0; only for metric depth. Default: 0.001 (millimetres). */
  depthScale?: number;
  /** Scene units at value 0 of metric depth. Default: 0. */
  depthOffset?: number;
  /** Whether up to two of the six views may be missing. Default: false. */
  allowMissing?: boolean;
}

export const SIX_VIEW_DEFAULTS = {
  left: 'auto',
  topTurn: 'auto',
  bottomTurn: 'auto',
  depth: 'auto',
  distance: 3.2,
  focal: 50 / 36,
  depthScale: 0.001,
  depthOffset: 0,
  allowMissing: false,
} as const;

export interface ResolvedSixViewOptions {
  left: 'auto' | 'viewer' | 'object';
  topTurn: 'auto' | 0 | 90 | 180 | 270;
  bottomTurn: 'auto' | 0 | 90 | 180 | 270;
  /** Focal length over width; undefined: to be found. */
  focal?: number;
  /** Undefined: a free choice of scale. */
  distance?: number;
  depth: 'metric' | 'relative';
  depthScale: number;
  depthOffset: number;
  allowMissing: boolean;
}

/** Fills in the defaults. Throws `OPTION_INVALID` for a value outside its range. */
export function resolveSixViewOptions(options: SixViewOptions = {}): ResolvedSixViewOptions {
  oneOf('left', options.left, ['auto', 'viewer', 'object']);
  oneOf('topTurn', options.topTurn, ['auto', 0, 90, 180, 270]);
  oneOf('bottomTurn', options.bottomTurn, ['auto', 0, 90, 180, 270]);
  oneOf('depth', options.depth, ['auto', 'metric', 'relative']);
  inRange('focal', options.focal, 0.3, 30);
  inRange('fieldOfView', options.fieldOfView, 2, 120);
  inRange('distance', options.distance, 1e-6, 1e9);
  inRange('depthScale', options.depthScale, 1e-9, 1e9);
  inRange('depthOffset', options.depthOffset, -1e9, 1e9);
  const filled = assignDefaults(SIX_VIEW_DEFAULTS, options);
  const { focal, fieldOfView } = options;
  if (focal !== undefined && fieldOfView !== undefined) {
    throw new PlinthError('OPTION_INVALID', {
      found: 'Both focal and fieldOfView are given',
      expected: 'one of them',
      subject: 'fieldOfView',
    });
  }
  return {
    left: filled.left,
    topTurn: filled.topTurn,
    bottomTurn: filled.bottomTurn,
    focal: fieldOfView === undefined ? focal : 0.5 / Math.tan((fieldOfView * Math.PI) / 360),
    distance: options.distance,
    depth:
      options.depth === 'metric' || (options.depth !== 'relative' && options.depthScale !== undefined)
        ? 'metric'
        : 'relative',
    depthScale: filled.depthScale,
    depthOffset: filled.depthOffset,
    allowMissing: filled.allowMissing,
  };
}

function oneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new PlinthError('OPTION_INVALID', {
    found: `Option ${name} is ${String(value)}`,
    expected: `one of ${allowed.join(', ')}`,
    subject: name,
  });
}

function inRange(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (value >= least && value <= most)) return;
  throw new PlinthError('OPTION_INVALID', {
    found: `Option ${name} is ${value}`,
    expected: `a number in ${least}…${most}`,
    subject: name,
  });
}
