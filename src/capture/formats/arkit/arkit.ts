import { identity } from '../../../core/math.js';
import { parseJson } from '../../layout/metadata.js';
import { joinPath, withoutEnding } from '../../layout/names.js';
import { demandViews, notSolved, numbersOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

const MILLIMETRE = 0.001;

/**
 * Reads the frames that ARKit scanners (3d Scanner App) export: `frame_00001.json` beside `frame_00001.jpg`, with the
 * camera-to-world matrix `cameraPoseARFrame` and `intrinsics`, both row by row (y up, looking along −z; world +Y up,
 * metres); `depth_00001.png` in millimetres.
 */
export const readArkit: ReadExport = async (source) => {
  const { list, file: folder } = source;
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  let file = folder;
  for (const name of list.files(folder).filter((n) => /^frame_\d+\.json$/i.test(n))) {
    const path = joinPath(folder, name);
    const where = list.locate(path);
    file = path;
    const json = (parseJson(where, await textOf(source, path)) ?? {}) as Record<string, unknown>;
    const picture = withoutEnding(name);
    if (json.cameraPoseARFrame === undefined || json.intrinsics === undefined) {
      unsolved.push(picture);
      continue;
    }
    const t = numbersOf(json.cameraPoseARFrame, 16, 'cameraPoseARFrame', where);
    const k = numbersOf(json.intrinsics, 9, 'intrinsics', where);
    const depth = `depth_${picture.replace(/^frame_/i, '')}.png`;
    views.push({
      picture,
      intrinsics: { fx: k[0], fy: k[4], cx: k[2], cy: k[5] },
      cameraToInput: poseOf([t[0], t[1], t[2], t[4], t[5], t[6], t[8], t[9], t[10]], [t[3], t[7], t[11]]),
      split: 'train',
      depth: list.has(joinPath(folder, depth)) ? { name: depth, scale: MILLIMETRE } : undefined,
      file: path,
    });
  }
  demandViews(views, list.locate(folder), 'the scanner');
  return {
    file,
    views: views.map((view) => ({ ...view, file })),
    up: identity(),
    orient: false,
    ...notSolved(unsolved, folder),
  };
};
