import { compareNaturally } from '../../layout/fileList.js';
import { invalidMetadata } from '../../layout/metadata.js';
import { folderOf, isImageName, joinPath } from '../../layout/names.js';
import { demandViews, notSolved, numberOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';

const LISTS = ['list.txt', 'bundle.list.txt', 'list_images.txt', 'list_tmp.txt', 'image_list.txt'];
const PICTURE_FOLDERS = ['', 'images', 'image', 'visualize', 'photos'];

/**
 * Reads `bundle.out` of Bundler (its manual, section "Output format"): per camera f, k1, k2, the rotation from world to
 * camera in rows and the translation; cameras have y up and look along −z; the principal point is the middle of the
 * picture. The pictures are those of the list beside it, else, where there are as many, those of the folder in the
 * order of their names.
 */
export const readBundler: ReadExport = async (source) => {
  const where = source.list.locate(source.file);
  const words = (await textOf(source, source.file))
    .split(/\r?\n/)
    .filter((line) => !line.trim().startsWith('#'))
    .join(' ')
    .trim()
    .split(/\s+/);
  const count = numberOf(words[0], 'the number of cameras', where);
  if (words.length < 2 + 15 * count) {
    throw invalidMetadata(where, `it announces ${count} cameras and ends before`, 'a complete file');
  }
  const names = await picturesOf(source, count, where);
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  for (let i = 0; i < count; i++) {
    const n = words.slice(2 + 15 * i, 17 + 15 * i).map((word) => numberOf(word, `camera ${i}`, where));
    const [f, k1, k2, ...m] = n;
    if (!(f > 0)) {
      unsolved.push(names[i]);
      continue;
    }
    const t = m.slice(9);
    const centre = [0, 1, 2].map((c) => -(m[c] * t[0] + m[3 + c] * t[1] + m[6 + c] * t[2]));
    views.push({
      picture: names[i],
      intrinsics: { fx: f, fy: f, k: [k1, k2] },
      cameraToInput: poseOf([m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]], centre),
      split: 'train',
      file: source.file,
    });
  }
  demandViews(views, where, 'Bundler');
  return { file: source.file, views, up: 'cameras', orient: false, labels: true, ...notSolved(unsolved, source.file) };
};

async function picturesOf(source: Parameters<ReadExport>[0], count: number, where: string): Promise<string[]> {
  const { list, root } = source;
  const folders = [...new Set([folderOf(source.file), folderOf(folderOf(source.file)), root])];
  for (const path of folders.flatMap((folder) => LISTS.map((name) => joinPath(folder, name)))) {
    if (!list.has(path)) continue;
    const lines = (await textOf(source, path)).split(/\r?\n/).filter((line) => line.trim() !== '');
    // A name, then maybe 0 and the focal length that EXIF has.
    if (lines.length === count) return lines.map((line) => line.trim().replace(/\s+0(\s+[\d.]+)?$/, ''));
  }
  for (const folder of folders.flatMap((base) => PICTURE_FOLDERS.map((below) => joinPath(base, below)))) {
    const pictures = list.files(folder).filter(isImageName).sort(compareNaturally);
    if (pictures.length === count) return pictures;
  }
  throw invalidMetadata(
    where,
    `nothing says which pictures its ${count} cameras are of`,
    `a list.txt of ${count} pictures beside it`,
  );
}
