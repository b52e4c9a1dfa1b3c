import type { FileList } from './fileList.js';
import { isImageName, joinPath, VIEW_NAMES, withoutEnding } from './names.js';

/** What a list of files turned out to hold. Paths are those of the list; `root` is '' or the folder that holds everything. */
export type Layout =
  | { kind: 'transforms'; root: string; files: { file: string; split: 'train' | 'test' }[] }
  | { kind: 'colmap'; root: string; model: string }
  | { kind: 'six-view'; root: string }
  | { kind: 'several-transforms'; root: string; names: string[] }
  | { kind: 'pictures'; root: string; images: string[] }
  | { kind: 'nothing'; root: string; names: string[] };

/** Three of the six names are no accident; what is missing is told then. */
const ENOUGH_SIX_NAMES = 3;
/** Folders in folders that are looked through for the one that holds something. */
const DEEPEST = 3;
const MODEL_FOLDERS = ['sparse/0', 'sparse', 'colmap/sparse/0', 'colmap/sparse', 'dense/sparse', ''];
const PICTURE_FOLDERS = ['images', 'imgs', 'input', 'photos', 'rgb', 'train'];

/** The names of the six views that a folder has. */
const sixNames = (files: readonly string[]): string[] =>
  VIEW_NAMES.filter((view) => files.some((file) => isImageName(file) && withoutEnding(file.toLowerCase()) === view));

/** The folder of a COLMAP model (cameras and images, text or binary) at or below `root`. */
function colmapModel(list: FileList, root: string): string | undefined {
  for (const below of MODEL_FOLDERS) {
    const names = list.files(joinPath(root, below));
    for (const ending of ['bin', 'txt']) {
      if (names.includes(`cameras.${ending}`) && names.includes(`images.${ending}`)) return joinPath(root, below);
    }
  }
  return undefined;
}

function picturesIn(list: FileList, root: string): string[] {
  return ['', ...PICTURE_FOLDERS].flatMap((below) => {
    const folder = joinPath(root, below);
    return list
      .files(folder)
      .filter(isImageName)
      .map((name) => joinPath(folder, name));
  });
}

/**
 * Finds out what a list of files holds. In this order: transforms files (`transforms_train.json` with its splits, `transforms.json`, else
 * the only `transforms*.json`), a COLMAP model, six named views, pictures alone. A folder that holds nothing but one folder, as
 * archives often do, is looked into.
 */
export function detectLayout(list: FileList, root = '', depth = 0): Layout {
  const [files, folders] = [list.files(root), list.folders(root)];
  const at = (name: string): string => joinPath(root, name);
  const transforms = files.filter((name) => /^transforms.*\.json$/i.test(name));
  if (files.includes('transforms_train.json')) {
    const held = ['transforms_test.json', 'transforms_val.json'].find((name) => files.includes(name));
    const found = [{ file: at('transforms_train.json'), split: 'train' as const }];
    return { kind: 'transforms', root, files: held ? [...found, { file: at(held), split: 'test' }] : found };
  }
  const single = files.includes('transforms.json')
    ? 'transforms.json'
    : transforms.length === 1
      ? transforms[0]
      : undefined;
  if (single) return { kind: 'transforms', root, files: [{ file: at(single), split: 'train' }] };
  if (transforms.length > 1) return { kind: 'several-transforms', root, names: transforms };
  const model = colmapModel(list, root);
  if (model !== undefined) return { kind: 'colmap', root, model };
  if (folders.includes('multi_views')) return { kind: 'six-view', root };
  if (sixNames(files).length >= ENOUGH_SIX_NAMES) return { kind: 'six-view', root };
  const images = picturesIn(list, root);
  if (images.length > 0) return { kind: 'pictures', root, images };
  if (depth < DEEPEST && folders.length === 1 && files.every((name) => /\.(txt|md|pdf)$/i.test(name))) {
    const inner = detectLayout(list, at(folders[0]), depth + 1);
    if (inner.kind !== 'nothing') return inner;
  }
  return { kind: 'nothing', root, names: [...folders.map((name) => `${name}/`), ...files] };
}
