import { type FileAccess, headText } from './access.js';
import { modelFolders } from './colmap/pairs.js';
import type { FileList } from './fileList.js';
import {
  isImageName,
  isOtherPictureName,
  isSideFolder,
  isVideoName,
  joinPath,
  VIEW_NAMES,
  withoutEnding,
} from './names.js';

/** Formats of other programs that state cameras in files of their own. */
export const EXPORT_FORMATS = [
  'polycam',
  'record3d',
  'arkit',
  'neus',
  'metashape',
  'realitycapture',
  'meshroom',
  'openmvg',
  'bundler',
  'llff',
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface TransformsFile {
  file: string;
  split: 'train' | 'test';
}

/**
 * What a list of files turned out to hold. Paths are those of the list; `root` is '' or the folder that holds
 * everything.
 */
export type Layout =
  | { kind: 'transforms'; root: string; files: TransformsFile[]; unread: string[] }
  | { kind: 'colmap'; root: string }
  | { kind: 'export'; root: string; format: ExportFormat; file: string }
  | { kind: 'six-view'; root: string }
  | { kind: 'several-transforms'; root: string; names: string[] }
  | { kind: 'pictures'; root: string; images: string[] }
  | { kind: 'unread-pictures'; root: string; what: 'pictures' | 'videos'; names: string[] }
  | { kind: 'nothing'; root: string; names: string[] };

/** What to call what states the cameras of a layout. */
export function layoutName(layout: Layout): string {
  if ('files' in layout) return layout.files[0].file;
  if ('file' in layout) return layout.file;
  if (layout.kind === 'colmap') return 'COLMAP model';
  return layout.kind === 'six-view' ? 'six named views' : layout.kind;
}

/** Three of the six names are no accident; what is missing is told then. */
const ENOUGH_SIX_NAMES = 3;
/** Folders in folders that are looked through for the one that holds something. */
const DEEPEST = 3;
/** Files whose beginning is looked at for what they are. */
const MOST_LOOKED_AT = 50;
const PICTURE_FOLDERS = ['images', 'image', 'imgs', 'input', 'photos', 'rgb', 'train'];
/** `transforms.json`, `transforms_train.json`, `transform_train.json`, … */
const TRANSFORMS = /^transforms?(?:[_-](.+))?\.json$/i;

/** The names of the six views that a folder has. */
const sixNames = (files: readonly string[]): string[] =>
  VIEW_NAMES.filter((view) => files.some((file) => isImageName(file) && withoutEnding(file.toLowerCase()) === view));

/** The transforms files of a folder: a training file with its splits, `transforms.json`, else the only one. */
function transformsIn(list: FileList, folder: string): Layout | undefined {
  const names = list.files(folder).filter((name) => TRANSFORMS.test(name));
  const at = (name: string): string => joinPath(folder, name);
  const called = (split: string): string | undefined =>
    names.find((name) => (TRANSFORMS.exec(name)?.[1] ?? '').toLowerCase() === split);
  const train = called('train');
  if (train !== undefined) {
    const [held, ...unread] = ['test', 'val'].flatMap((split) => called(split) ?? []);
    const files: TransformsFile[] = [{ file: at(train), split: 'train' }];
    if (held !== undefined) files.push({ file: at(held), split: 'test' });
    return { kind: 'transforms', root: folder, files, unread: unread.map(at) };
  }
  const single = called('') ?? (names.length === 1 ? names[0] : undefined);
  if (single !== undefined) {
    const unread = names.filter((name) => name !== single).map(at);
    return { kind: 'transforms', root: folder, files: [{ file: at(single), split: 'train' }], unread };
  }
  return names.length > 1 ? { kind: 'several-transforms', root: folder, names } : undefined;
}

/** What the beginning of a file says that it is. */
async function formatOf(access: FileAccess, path: string): Promise<ExportFormat | undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (/^cameras_(sphere|large|linear).*\.npz$|^cameras\.npz$/.test(name)) return 'neus';
  if (name === 'poses_bounds.npy') return 'llff';
  if (!/\.(xml|csv|sfm|json|out|rd)$|^metadata$/.test(name)) return undefined;
  const head = await headText(access, path);
  if (name.endsWith('.xml')) return /<document[\s>]/.test(head) && /<chunk/.test(head) ? 'metashape' : undefined;
  if (name.endsWith('.csv'))
    return /^\s*(#\s*cameras[^\n]*\n)?#?\s*(name|filename|#?image)\s*[,;]/i.test(head) ? 'realitycapture' : undefined;
  if (name.endsWith('.sfm')) return 'meshroom';
  if (/sfm_data.*\.json$/.test(name) || /"sfm_data_version"/.test(head)) return 'openmvg';
  if (name.endsWith('.out')) return /^# Bundle file/.test(head) ? 'bundler' : undefined;
  if (name === 'metadata' || name === 'metadata.json') {
    return /"(K|perFrameIntrinsicCoeffs|poses|initPose)"/.test(head) ? 'record3d' : undefined;
  }
  return undefined;
}

/** Cameras that other programs export, at `root` and in folders that are not those of pictures. */
async function exportsIn(access: FileAccess, root: string, folders: readonly string[]): Promise<Layout[]> {
  const { list } = access;
  const found: (Layout & { kind: 'export' })[] = [];
  let looked = 0;
  for (const folder of folders) {
    const cameras = ['keyframes/corrected_cameras', 'keyframes/cameras'].find(
      (below) => list.files(joinPath(folder, below)).length > 0,
    );
    if (cameras !== undefined)
      found.push({ kind: 'export', root: folder, format: 'polycam', file: joinPath(folder, cameras) });
    const frames = list.files(folder).filter((name) => /^frame_\d+\.json$/i.test(name));
    if (frames.length > 0) found.push({ kind: 'export', root: folder, format: 'arkit', file: folder });
    for (const name of list.files(folder)) {
      if (/^frame_\d+\.json$/i.test(name) || TRANSFORMS.test(name)) continue;
      if (isImageName(name) || looked >= MOST_LOOKED_AT) continue;
      if (!/\.(xml|csv|sfm|json|out|npz|npy)$|^metadata$/i.test(name)) continue;
      looked++;
      const file = joinPath(folder, name);
      const format = await formatOf(access, file);
      if (format) found.push({ kind: 'export', root, format, file });
    }
  }
  return found.sort((a, b) => EXPORT_FORMATS.indexOf(a.format) - EXPORT_FORMATS.indexOf(b.format));
}

function picturesIn(list: FileList, root: string, isWanted: (name: string) => boolean): string[] {
  return ['', ...PICTURE_FOLDERS].flatMap((below) => {
    const folder = joinPath(root, below);
    return list
      .files(folder)
      .filter(isWanted)
      .map((name) => joinPath(folder, name));
  });
}

/** A COLMAP model where COLMAP and the scripts around it put it. */
const isUsualModel = (below: string): boolean =>
  below === '' || /^(sparse|colmap|dense|distorted|undistorted|reconstruction)(\/|$)/i.test(below);

/** Everything in `root` itself that states cameras or is six views, the likeliest first. */
async function statedIn(access: FileAccess, root: string): Promise<Layout[]> {
  const { list } = access;
  const found: Layout[] = [];
  const transforms = transformsIn(list, root);
  if (transforms) found.push(transforms);
  const models = modelFolders(list, root).map((folder) => (root === '' ? folder : folder.slice(root.length + 1)));
  if (models.some(isUsualModel)) found.push({ kind: 'colmap', root });
  found.push(...(await exportsIn(access, root, [root])));
  if (list.folders(root).includes('multi_views') || sixNames(list.files(root)).length >= ENOUGH_SIX_NAMES) {
    found.push({ kind: 'six-view', root });
  }
  return found;
}

/** What states cameras somewhere below `root`, apart from the pictures. */
async function statedBelow(access: FileAccess, root: string): Promise<Layout[]> {
  const { list } = access;
  const nested = list
    .allFolders()
    .filter((folder) => folder !== root && (root === '' || folder.startsWith(`${root}/`)))
    .filter((folder) => folder.slice(root.length).split('/').length <= DEEPEST && !isSideFolder(folder));
  const found = nested.flatMap((folder): Layout[] => {
    const inside = transformsIn(list, folder);
    return inside ? [{ ...inside, root }] : [];
  });
  if (modelFolders(list, root).length > 0) found.push({ kind: 'colmap', root });
  return [...found, ...(await exportsIn(access, root, nested))];
}

/**
 * Finds out what files hold: everything that states cameras, the likeliest first (transforms files, COLMAP models,
 * exports of other programs, six named views), else the one thing that can be said of them. A folder that holds nothing
 * but one folder, as archives often do, is looked into.
 */
export async function findLayouts(access: FileAccess, root = '', depth = 0): Promise<Layout[]> {
  const { list } = access;
  const [files, folders] = [list.files(root), list.folders(root)];
  const stated = await statedIn(access, root);
  if (stated.length > 0) return stated;
  if (depth < DEEPEST && folders.length === 1 && files.every((name) => /\.(txt|md|pdf)$/i.test(name))) {
    const inner = await findLayouts(access, joinPath(root, folders[0]), depth + 1);
    if (inner[0].kind !== 'nothing') return inner;
  }
  const below = await statedBelow(access, root);
  if (below.length > 0) return below;
  const images = picturesIn(list, root, isImageName);
  if (images.length > 0) return [{ kind: 'pictures', root, images }];
  for (const [what, isWanted] of [
    ['pictures', isOtherPictureName],
    ['videos', isVideoName],
  ] as const) {
    const names = picturesIn(list, root, isWanted);
    if (names.length > 0) return [{ kind: 'unread-pictures', root, what, names }];
  }
  return [{ kind: 'nothing', root, names: [...folders.map((name) => `${name}/`), ...files] }];
}
