import type { Layout } from '../src/capture/layout/detect.js';

/** A set of files with what it is: the reader and the page must say the same of each. */
export interface FileSet {
  name: string;
  /** Contents by path; '' where nothing looks into a file. */
  files: Record<string, string>;
  kind: Layout['kind'];
  /** Folder that holds everything. Default: ''. */
  root?: string;
}

const POSE = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 3],
];
const transforms = (...names: string[]): string =>
  JSON.stringify({
    camera_angle_x: 0.7,
    frames: names.map((file_path) => ({ file_path, transform_matrix: POSE })),
  });
const empty = (...paths: string[]): Record<string, string> => Object.fromEntries(paths.map((path) => [path, '']));
const SIX = ['front', 'back', 'left', 'right', 'top', 'bottom'];
const MODEL = {
  'cameras.txt': '1 PINHOLE 32 24 30 30 16 12\n',
  'images.txt': '1 1 0 0 0 0 0 3 1 a.png\n\n2 1 0 0 0 0 0 4 1 b.png\n\n',
};
const model = (folder: string): Record<string, string> =>
  Object.fromEntries(Object.entries(MODEL).map(([name, text]) => [`${folder}${name}`, text]));

export const FILE_SETS: FileSet[] = [
  {
    name: 'transforms.json with its pictures',
    files: { 'transforms.json': transforms('images/a.png', './images/b'), ...empty('images/a.png', 'images/b.png') },
    kind: 'transforms',
  },
  {
    name: 'splits of NeRF-synthetic',
    files: {
      'transforms_train.json': transforms('./train/a'),
      'transforms_val.json': transforms('./val/a'),
      'transforms_test.json': transforms('./test/a'),
      ...empty('train/a.png', 'val/a.png', 'test/a.png'),
    },
    kind: 'transforms',
  },
  {
    name: 'the only transforms file of another name, in folders and with rubbish',
    files: {
      'cup/inner/transforms_six.json': transforms('a.png'),
      ...empty('cup/inner/a.png', '__MACOSX/cup/._a.png', 'cup/.DS_Store', 'cup/readme.txt'),
    },
    kind: 'transforms',
    root: 'cup/inner',
  },
  {
    name: 'several transforms files',
    files: { 'transforms_a.json': '{}', 'transforms_b.json': '{}', ...empty('a.png') },
    kind: 'several-transforms',
  },
  {
    name: 'COLMAP in sparse/0',
    files: { ...model('sparse/0/'), ...empty('images/a.png', 'images/b.png') },
    kind: 'colmap',
  },
  {
    name: 'COLMAP in colmap/sparse, within a folder',
    files: { ...model('cup/colmap/sparse/'), ...empty('cup/images/a.png', 'cup/images/b.png') },
    kind: 'colmap',
    root: 'cup',
  },
  {
    name: 'a COLMAP model beside its pictures',
    files: { ...model(''), ...empty('a.png', 'b.png') },
    kind: 'colmap',
  },
  {
    name: 'six views in multi_views/, with depth and masks',
    files: empty(...['multi_views', 'depth_renders', 'masks'].flatMap((f) => SIX.map((side) => `${f}/${side}.png`))),
    kind: 'six-view',
  },
  { name: 'six loose named views', files: empty(...SIX.map((side) => `${side}.JPG`)), kind: 'six-view' },
  {
    name: 'six named views in a folder',
    files: empty(...SIX.map((side) => `shoe/${side}.webp`)),
    kind: 'six-view',
    root: 'shoe',
  },
  {
    name: 'pictures alone, in several folders',
    files: empty('a.png', 'images/b.tif', 'photos/c.avif', 'notes.txt'),
    kind: 'pictures',
  },
  { name: 'pictures in a folder', files: empty('holiday/1.jpg', 'holiday/2.jpg'), kind: 'pictures', root: 'holiday' },
  { name: 'a model and a text', files: empty('asset.glb', 'notes.txt'), kind: 'nothing' },
  { name: 'nothing', files: {}, kind: 'nothing' },
];
