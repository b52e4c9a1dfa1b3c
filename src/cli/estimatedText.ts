import { table } from './terminal.js';

interface SixViewEstimate {
  leftConvention: string;
  topTurn: number;
  bottomTurn: number;
  focal: number;
  focalFrom: string;
  focalDeviation?: number;
  focalRange?: [number, number];
  fieldOfView: number;
  distance: number;
  distanceFrom: string;
  depth?: { kind: string; model: string; brighterIs: string };
  misfit: number;
  ambiguous: unknown[];
  views: {
    view: string;
    insideOthers?: number;
    surfaceDistance?: number;
    depthScale?: number;
    depthOffset?: number;
    colorShift?: [number, number];
  }[];
}

const isSixViews = (value: object): value is SixViewEstimate => 'leftConvention' in value && 'views' in value;

/** What a reader estimated, for people: sentences and a table for six views, the plain values for anything else. */
export function estimatedText(estimated: Record<string, unknown>): string {
  if (!isSixViews(estimated)) return JSON.stringify(estimated, undefined, 2).replace(/^/gm, '    ');
  const { depth, focalRange: range } = estimated;
  const spread = range
    ? `, ${range[0]} to ${range[1]} fit`
    : estimated.focalDeviation
      ? ` ± ${(100 * estimated.focalDeviation).toFixed(0)} %`
      : '';
  const lines = [
    `  names     left is the ${estimated.leftConvention}'s left, top turned by ${estimated.topTurn}°, bottom by ${estimated.bottomTurn}°${estimated.ambiguous.length > 0 ? ` (${estimated.ambiguous.length} others fit as well)` : ''}`,
    `  lens      ${estimated.focal.toFixed(3)} picture widths (${estimated.fieldOfView.toFixed(1)}°), from ` +
      `${estimated.focalFrom}${spread}`,
    `  distance  ${estimated.distance} from ${estimated.distanceFrom}`,
    depth
      ? `  depth     ${depth.kind}, linear in ${depth.model}, brighter is ${depth.brighterIs}`
      : '  depth     none: the shape comes from outlines alone',
    `  misfit    ${estimated.misfit}`,
  ];
  const rows = [['view', 'inside others', 'off others’ surfaces', 'depth scale', 'depth offset', 'colour shift']];
  const some = (value: number | undefined, text: (v: number) => string): string =>
    value === undefined ? '–' : text(value);
  for (const v of estimated.views) {
    rows.push([
      v.view,
      some(v.insideOthers, (s) => `${(100 * s).toFixed(1)} %`),
      some(v.surfaceDistance, (s) => `${s.toFixed(3)} %`),
      some(v.depthScale, (s) => s.toPrecision(4)),
      some(v.depthOffset, (s) => s.toFixed(3)),
      v.colorShift ? v.colorShift.map((s) => `${(100 * s).toFixed(2)} %`).join(', ') : '–',
    ]);
  }
  return `${lines.join('\n')}\n\n${table(rows)}`;
}
