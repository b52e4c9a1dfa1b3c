import type { FileAccess } from '../access.js';
import { compareNaturally, type FileList } from '../fileList.js';
import { fileAt, type LocateRules, locate } from '../locate.js';
import { fileName, folderOf, IMAGE_EXTENSIONS, isSideFolder, joinPath } from '../names.js';
import { pictureSize, SIZE_BYTES } from '../pictureSize.js';
import { pathInside } from '../resolveName.js';
import { statesDistortion } from '../statedIntrinsics.js';
import { type ColmapCamera, colmapIntrinsics } from './cameraModels.js';
import { missingPicture, undistortedPictures } from './missingPicture.js';
import { type ColmapImage, parseCameras, parseImages } from './modelFiles.js';

export interface ColmapModel {
  /** Folder of the model. */
  folder: string;
  /** `bin` or `txt`. */
  ending: string;
  cameras: Map<number, ColmapCamera>;
  images: ColmapImage[];
}

/** A model with the pictures that go with it. */
export interface ColmapPair {
  model: ColmapModel;
  /** Folder of the pictures; masks lie beside it. */
  pictures: string;
  /** In the order of the model's images; undefined where there is no such picture. */
  paths: (string | undefined)[];
  /** Pictures of the model's names that have another ending than the names. */
  otherEndings: number;
  /** Models beside it, with the number of their images, that were left. */
  others: { folder: string; images: number }[];
}

/** Where COLMAP and what calls it keep models, in the order of preference. */
const MODEL_FOLDERS = ['sparse/0', 'sparse', 'colmap/sparse/0', 'colmap/sparse', 'dense/sparse', 'dense/0/sparse'];
/** Where the pictures are, below the folder that holds the model's. */
const PICTURE_FOLDERS = ['images', 'input', 'imgs', 'dense/images', 'dense/0/images', 'colmap/images', ''];
/** Models that are looked at. */
const MOST_MODELS = 24;
/** Pictures of a pair whose sizes are looked at. */
const SAMPLE = 3;

const RULES: LocateRules = { extensions: IMAGE_EXTENSIONS, otherEndings: true };

/** The ending of the model in a folder; undefined where there is none. Binary files go before text, as in COLMAP. */
export function modelEnding(list: FileList, folder: string): string | undefined {
  const names = list.files(folder);
  return ['bin', 'txt'].find((ending) => names.includes(`cameras.${ending}`) && names.includes(`images.${ending}`));
}

/** Folders at or below `root` that hold a model, the usual ones first. */
export function modelFolders(list: FileList, root: string): string[] {
  const rank = (folder: string): number => {
    const at = MODEL_FOLDERS.indexOf(root === '' ? folder : folder.slice(root.length + 1));
    return at < 0 ? MODEL_FOLDERS.length : at;
  };
  return list
    .allFolders()
    .filter((folder) => root === '' || folder === root || folder.startsWith(`${root}/`))
    .filter((folder) => modelEnding(list, folder) !== undefined)
    .sort((a, b) => rank(a) - rank(b) || compareNaturally(a, b))
    .slice(0, MOST_MODELS);
}

/** Reads the cameras and images of the model in a folder. Throws `CAPTURE_METADATA_INVALID`. */
export async function readModel({ list, read }: FileAccess, folder: string): Promise<ColmapModel> {
  const ending = modelEnding(list, folder) ?? 'txt';
  const load = async <T>(name: string, parse: (data: Uint8Array, file: string) => T): Promise<T> => {
    const path = joinPath(folder, `${name}.${ending}`);
    return parse(await read(path), list.locate(path));
  };
  const cameras = new Map((await load('cameras', parseCameras)).map((camera) => [camera.id, camera]));
  return { folder, ending, cameras, images: await load('images', parseImages) };
}

/**
 * Finds the model and the folder of pictures that belong together: of all pairs the one with most of the model's
 * pictures, of the sizes that the cameras are for; among equals the usual folders. A distorted model is never taken
 * with pictures that were undistorted.
 *
 * Throws `CAPTURE_METADATA_INVALID` where no model can be read, `CAPTURE_FILE_MISSING` where none has a picture,
 * `ARCHIVE_UNSAFE_PATH`.
 */
export async function chooseColmapPair(access: FileAccess, root: string): Promise<ColmapPair> {
  const folders = modelFolders(access.list, root);
  const models: ColmapModel[] = [];
  let broken: unknown;
  for (const folder of folders) {
    try {
      models.push(await readModel(access, folder));
    } catch (error) {
      broken ??= error;
    }
  }
  if (models.length === 0) throw broken;
  let best: Scored | undefined;
  for (const [order, model] of models.entries()) {
    const pair = await bestFolder(access, root, model);
    if (!pair) continue;
    const score = [pair.matched, pair.size, -order];
    if (!best || compareScores(score, best.score) > 0) best = { ...pair, score };
  }
  if (!best) {
    // Names that lead somewhere else altogether, or out.
    const [model] = models;
    const names = model.images.map((image) => image.name);
    const found = locate(access.list, joinPath(root, 'images'), names, RULES);
    const first = found.paths.find((path) => path !== undefined);
    if (first === undefined) throw broken ?? missingPicture(names[0], joinPath(root, 'images'));
    if (!isAllowed(access.list, root, model.folder, isDistorted(model), folderOf(first))) {
      throw undistortedPictures(model.folder, folderOf(first));
    }
    best = { model, pictures: folderOf(first), ...found, score: [] };
  }
  const { model, pictures, paths, otherEndings } = best;
  const others = models
    .filter((other) => other !== model && !isSameSolution(other, model))
    .map((other) => ({ folder: other.folder, images: other.images.length }));
  return { model, pictures, paths, otherEndings, others };
}

type Pair = Omit<ColmapPair, 'others'>;
type Scored = Pair & { score: readonly number[] };

/** Folders with fewer than this share of the pictures that another has are not looked at. */
const ENOUGH = 0.5;

/**
 * The folder of a model's pictures: of those with enough of them the one with pictures of the cameras' sizes, for
 * `images_4` may be whole where pictures of full size were culled.
 */
async function bestFolder(
  access: FileAccess,
  root: string,
  model: ColmapModel,
): Promise<(Pair & { matched: number; size: number }) | undefined> {
  const pairs = pairsOf(access.list, root, model)
    .map((pair) => ({ ...pair, matched: pair.paths.filter((path) => path !== undefined).length }))
    .filter(({ matched }) => matched > 0);
  const most = Math.max(...pairs.map(({ matched }) => matched));
  let best: (Pair & { matched: number; size: number }) | undefined;
  for (const pair of pairs) {
    if (pair.matched < ENOUGH * most) continue;
    const size = await sizeScore(access, pair);
    if (!best || compareScores([size, pair.matched], [best.size, best.matched]) > 0) best = { ...pair, size };
  }
  return best;
}

/** Greater where a is better: the first number that differs counts. */
function compareScores(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

/** The same cameras once more: an undistorted copy, or the text beside the binary. */
const isSameSolution = (a: ColmapModel, b: ColmapModel): boolean =>
  a.images.length === b.images.length && a.images.every((image, i) => image.name === b.images[i].name);

function pairsOf(list: FileList, root: string, model: ColmapModel): Pair[] {
  const names = model.images.map((image) => image.name);
  return pictureFolders(list, root, model.folder)
    .filter((folder) => isAllowed(list, root, model.folder, isDistorted(model), folder))
    .map((folder) => {
      const found = names.map((name) => {
        try {
          return fileAt(list, pathInside(list, folder, name), RULES);
        } catch {
          return undefined;
        }
      });
      const otherEndings = found.filter((path, i) => path !== undefined && ending(path) !== ending(names[i])).length;
      return { model, pictures: folder, paths: found, otherEndings };
    });
}

/** Whether any camera of a model bends straight lines. */
const isDistorted = (model: ColmapModel): boolean =>
  [...model.cameras.values()].some((camera) => {
    try {
      return statesDistortion(colmapIntrinsics(camera, model.folder));
    } catch {
      // Said by the reader, should this model be taken.
      return false;
    }
  });

const ending = (path: string): string => path.slice(path.lastIndexOf('.') + 1).toLowerCase();

/** The folder that a model's folder lies in, without `sparse` and the model's number. */
const workspaceOf = (model: string): string => model.replace(/(^|\/)(sparse|colmap)(\/.*)?$/i, '');

/** Folders that may hold a model's pictures: the usual ones beside it, then below the root, then all others. */
function pictureFolders(list: FileList, root: string, model: string): string[] {
  const usual = [workspaceOf(model), root].flatMap((base) => PICTURE_FOLDERS.map((below) => joinPath(base, below)));
  const inside = list.allFolders().filter((folder) => root === '' || folder === root || folder.startsWith(`${root}/`));
  const all = [...usual.filter((folder) => list.hasFolder(folder)), model, ...inside.sort(compareNaturally)];
  return [...new Set(all)].filter((folder) => !folder.split('/').some(isSideFolder));
}

/**
 * Whether pictures in a folder were undistorted, by what COLMAP and convert scripts lay out; with the folder that holds
 * them.
 */
function undistortedIn(list: FileList, folder: string): string | undefined {
  const workspace = folderOf(folder);
  if (fileName(folder).toLowerCase() !== 'images') return undefined;
  const isDense =
    /(^|\/)(dense|undistorted)(\/\d+)?$/i.test(workspace) || list.hasFolder(joinPath(workspace, 'stereo'));
  return isDense || list.hasFolder(joinPath(workspace, 'distorted')) ? workspace : undefined;
}

function isAllowed(list: FileList, root: string, model: string, bends: boolean, pictures: string): boolean {
  const undistorted = undistortedIn(list, pictures);
  const ofDistorted = /(^|\/)distorted(\/|$)/i.test(model);
  if (undistorted !== undefined) return !bends && !ofDistorted;
  // Beside a distorted model, `input/` holds what it was solved on.
  const originals = joinPath(root, 'input');
  const isOriginal = pictures === originals || pictures.startsWith(`${originals}/`);
  if (isOriginal && list.hasFolder(joinPath(root, 'distorted')) && modelEnding(list, joinPath(root, 'sparse/0')))
    return ofDistorted;
  return true;
}

/** 2: the pictures have their cameras' size; 1: nobody knows, or they are scaled; 0: they have another shape. */
async function sizeScore({ read }: FileAccess, { model, paths }: Pair): Promise<number> {
  let least = 2;
  let seen = 0;
  for (const [i, path] of paths.entries()) {
    const camera = model.cameras.get(model.images[i].cameraId);
    if (path === undefined || !camera) continue;
    const size = pictureSize(await read(path, SIZE_BYTES));
    least = Math.min(least, size ? shapeScore(size, camera) : 1);
    if (++seen >= SAMPLE) break;
  }
  return least;
}

function shapeScore(size: { width: number; height: number }, { width, height }: ColmapCamera): number {
  if (size.width === width && size.height === height) return 2;
  // One pixel of rounding.
  const isSame = (w: number, h: number): boolean => Math.abs(w * height - h * width) <= Math.max(w, h, width, height);
  return isSame(size.width, size.height) || isSame(size.height, size.width) ? 1 : 0;
}
