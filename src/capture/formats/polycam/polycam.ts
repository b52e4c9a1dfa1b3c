import { identity } from '../../../core/math.js';
import { parseJson } from '../../layout/metadata.js';
import { folderOf, joinPath, withoutEnding } from '../../layout/names.js';
import { demandViews, numberOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

/** ARKit's depth maps: millimetres in 16 bits. */
const MILLIMETRE = 0.001;

/**
 * Reads Polycam's raw export: a JSON per keyframe with the camera-to-world matrix (t_00 … t_23; ARKit's axes: y up,
 * looking along −z, world +Y up, metres) and intrinsics; `corrected_cameras` with `corrected_images` where there are
 * such, of newer versions without the size of the picture; `depth` in millimetres.
 */
export const readPolycam: ReadExport = async (source) => {
  const { list, file } = source;
  const keyframes = folderOf(file);
  const pictures = file.endsWith('corrected_cameras') ? 'corrected_images' : 'images';
  const views: StatedView[] = [];
  for (const name of list.files(file).filter((n) => n.toLowerCase().endsWith('.json'))) {
    const path = joinPath(file, name);
    const where = list.locate(path);
    const json = parseJson(where, await textOf(source, path)) as Record<string, unknown>;
    const n = (key: string): number => numberOf(json?.[key], key, where);
    const stem = withoutEnding(name);
    const depth = ['png', 'tif', 'exr']
      .map((ending) => joinPath(keyframes, 'depth', `${stem}.${ending}`))
      .find((p) => list.has(p));
    views.push({
      picture: `${pictures}/${stem}`,
      intrinsics: {
        ...(json.width === undefined ? {} : { width: n('width'), height: n('height') }),
        fx: n('fx'),
        fy: n('fy'),
        cx: n('cx'),
        cy: n('cy'),
      },
      cameraToInput: poseOf(
        [n('t_00'), n('t_01'), n('t_02'), n('t_10'), n('t_11'), n('t_12'), n('t_20'), n('t_21'), n('t_22')],
        [n('t_03'), n('t_13'), n('t_23')],
      ),
      split: 'train',
      depth: depth === undefined ? undefined : { name: depth.slice(keyframes.length + 1), scale: MILLIMETRE },
      file,
    });
  }
  demandViews(views, list.locate(file), 'Polycam');
  return { file, views, up: identity(), orient: false, maskBases: [keyframes, source.root], warnings: [] };
};
