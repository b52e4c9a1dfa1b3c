import { invalidMetadata, parseJson } from '../../layout/metadata.js';
import type { StatedIntrinsics } from '../../layout/statedIntrinsics.js';
import { swapAxes } from '../axes.js';
import { demandViews, notSolved, numberOf, numbersOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

interface Keyed<T> {
  key?: unknown;
  value?: T;
}
interface Wrapped<T> {
  ptr_wrapper?: { data?: T };
  polymorphic_name?: string;
}
interface View {
  local_path?: unknown;
  filename?: unknown;
  id_intrinsic?: unknown;
  id_pose?: unknown;
}
type Lens = Record<string, unknown>;
interface SfmData {
  views?: Keyed<Wrapped<View>>[];
  intrinsics?: Keyed<Wrapped<Lens>>[];
  extrinsics?: Keyed<{ rotation?: unknown; center?: unknown }>[];
}

/**
 * Reads OpenMVG's `sfm_data.json`. A pose has its rotation from world to camera in rows, and its centre; cameras have y
 * down and z forwards. Distortion: `disto_k1`, `disto_k3`, `disto_t2` (k1, k2, k3, t1, t2 as OpenCV's p1, p2),
 * `fisheye`.
 */
export const readOpenMvg: ReadExport = async (source) => {
  const where = source.list.locate(source.file);
  const data = (parseJson(where, await textOf(source, source.file)) ?? {}) as SfmData;
  const lenses = named(data.intrinsics);
  const poses = new Map((data.extrinsics ?? []).map(({ key, value }) => [String(key), value]));
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  for (const view of data.views ?? []) {
    const of = view.value?.ptr_wrapper?.data ?? {};
    const picture = [of.local_path, of.filename].filter((part) => typeof part === 'string' && part !== '').join('/');
    const pose = poses.get(String(of.id_pose));
    const lens = lenses.get(String(of.id_intrinsic));
    if (!pose || !lens) {
      unsolved.push(picture);
      continue;
    }
    const rows = Array.isArray(pose.rotation) ? pose.rotation.flat() : [];
    const r = numbersOf(rows, 9, `the rotation of ${picture}`, where);
    const centre = numbersOf(pose.center, 3, `the centre of ${picture}`, where);
    const transposed = [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]];
    views.push({
      picture,
      intrinsics: intrinsicsOf(lens, where),
      cameraToInput: swapAxes(poseOf(transposed, centre)),
      split: 'train',
      file: source.file,
    });
  }
  demandViews(views, where, 'OpenMVG');
  return { file: source.file, views, up: 'cameras', orient: false, labels: true, ...notSolved(unsolved, source.file) };
};

/** Intrinsics by key. The type's name stands only where it is used first, so it is told by the fields. */
const named = (list: Keyed<Wrapped<Lens>>[] | undefined): Map<string, Lens> =>
  new Map((list ?? []).map(({ key, value }) => [String(key), value?.ptr_wrapper?.data ?? {}]));

function intrinsicsOf(lens: Lens, file: string): StatedIntrinsics {
  // Some versions keep what all lenses have in a value of its own.
  const base = { ...(lens.value0 as Lens | undefined), ...lens };
  const focal = numberOf(base.focal_length, 'the focal length', file);
  const [cx, cy] = numbersOf(base.principal_point, 2, 'the principal point', file);
  const stated = {
    width: numberOf(base.width, 'the width', file),
    height: numberOf(base.height, 'the height', file),
    fx: focal,
    fy: focal,
    cx,
    cy,
  };
  const list = (name: string): number[] => numbersOf(base[name], 1, name, file);
  if (base.disto_t2 !== undefined) {
    const [k1, k2 = 0, k3 = 0, t1 = 0, t2 = 0] = list('disto_t2');
    return { ...stated, k: [k1, k2, k3], p: [t1, t2] };
  }
  if (base.disto_k3 !== undefined) return { ...stated, k: list('disto_k3') };
  if (base.disto_k1 !== undefined) return { ...stated, k: list('disto_k1') };
  if (base.fisheye !== undefined) return { ...stated, model: 'fisheye', k: list('fisheye') };
  const other = Object.keys(base).find((name) => name.startsWith('disto'));
  if (other !== undefined)
    throw invalidMetadata(file, `a lens has ${other}`, 'disto_k1, disto_k3, disto_t2 or fisheye');
  return stated;
}
