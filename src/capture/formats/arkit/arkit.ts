import { identity } from '../../../core/math.js';
import type { LeftOut } from '../../layout/leftOut.js';
import { parseJson } from '../../layout/metadata.js';
import { isImageName, joinPath, withoutEnding } from '../../layout/names.js';
import { demandViews, notSolved, numbersOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

const MILLIMETRE = 0.001;

/**
 * Reads the frames that ARKit scanners (3d Scanner App) export: `frame_00001.json` beside `frame_00001.jpg`, with the
 * camera-to-world matrix `cameraPoseARFrame` and `intrinsics`, both row by row (y up, looking along −z; world +Y up,
 * metres); `depth_00001.png` in millimetres, or `frame_00001.exr` in metres. Every frame has a JSON and few have a
 * picture: the others are no views, which is told in the list of what was left out and needs no warning.
 */
export const readArkit: ReadExport = async (source) => {
  const { list, file: folder } = source;
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  const without: string[] = [];
  const pictures = new Set(list.files(folder).filter(isImageName).map(withoutEnding));
  let file = folder;
  for (const name of list.files(folder).filter((n) => /^frame_\d+\.json$/i.test(n))) {
    const path = joinPath(folder, name);
    const where = list.locate(path);
    file = path;
    const json = (parseJson(where, await textOf(source, path)) ?? {}) as Record<string, unknown>;
    const picture = withoutEnding(name);
    if (!pictures.has(picture)) {
      without.push(picture);
      continue;
    }
    if (json.cameraPoseARFrame === undefined || json.intrinsics === undefined) {
      unsolved.push(picture);
      continue;
    }
    const t = numbersOf(json.cameraPoseARFrame, 16, 'cameraPoseARFrame', where);
    const k = numbersOf(json.intrinsics, 9, 'intrinsics', where);
    const number = picture.replace(/^frame_/i, '');
    const depth = [`depth_${number}.png`, `depth_${number}.exr`, `frame_${number}.exr`].find((other) =>
      list.has(joinPath(folder, other)),
    );
    views.push({
      picture,
      intrinsics: { fx: k[0], fy: k[4], cx: k[2], cy: k[5] },
      cameraToInput: poseOf([t[0], t[1], t[2], t[4], t[5], t[6], t[8], t[9], t[10]], [t[3], t[7], t[11]]),
      split: 'train',
      depth: depth === undefined ? undefined : { name: depth, scale: depth.endsWith('.png') ? MILLIMETRE : undefined },
      file: path,
    });
  }
  demandViews(views, list.locate(folder), 'the scanner');
  const left = notSolved(unsolved, folder);
  return {
    file,
    views: views.map((view) => ({ ...view, file })),
    up: identity(),
    orient: false,
    warnings: left.warnings,
    leftOut: [
      ...left.leftOut,
      ...without.map((picture): LeftOut => ({ kind: 'picture', name: picture, reason: 'missing' })),
    ],
  };
};
