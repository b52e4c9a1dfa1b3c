import { compareNaturally, type FileList } from './fileList.js';
import { isImageName, isOtherPictureName, isSideFolder, joinPath, withoutEnding } from './names.js';
import { outsideOf, pathInside, unsafe } from './resolveName.js';

export interface LocateRules {
  /**
   * Endings (without dot) to try for names without one, and, where `otherEndings`, for those whose file is not there.
   */
  extensions: readonly string[];
  /**
   * Whether a file of the same stem and another of these endings will do: a picture that was cut out and saved as PNG.
   */
  otherEndings?: boolean;
}

export interface Located {
  /** In the order of the names: the path in the list, undefined where there is no such file. */
  paths: (string | undefined)[];
  /** Where the files are, where the names do not lead there by themselves. */
  moved?: { folder: string; dropped: number };
  /** Names whose file has another ending. */
  otherEndings: number;
}

/** Names are looked for in other places where fewer than this share is where they lead. */
const MISPLACED = 0.5;
/** Names by which places are compared. */
const SAMPLE = 64;
/** Leading folders of a name that may be dropped: longer ones are no path of a capture. */
const MOST_DROPPED = 12;

/** The file of this path: as it is called, with one of the endings, or of the same stem with another. */
export function fileAt(list: FileList, path: string, rules: LocateRules): string | undefined {
  const found = list.find(path);
  const same = (stem: string): string | undefined => {
    for (const ending of rules.extensions) {
      const other = list.find(`${stem}.${ending}`);
      if (other !== undefined) return other;
    }
    return undefined;
  };
  const isUnread = found !== undefined && rules.otherEndings && isOtherPictureName(found);
  if (found !== undefined && !isUnread) return found;
  const appended = found === undefined ? same(path) : undefined;
  if (appended !== undefined || !rules.otherEndings) return appended ?? found;
  return same(withoutEnding(path)) ?? found;
}

/** A name as parts without drive, `.` and `..`. */
export const partsOf = (name: string): string[] =>
  name
    .replaceAll('\\', '/')
    .replace(/^[a-z]:/i, '')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');

/** Folders in which pictures may be, nearest to the usual first. */
function places(list: FileList): string[] {
  const holds = list.allFolders().filter((folder) => {
    if (folder.split('/').some(isSideFolder)) return false;
    return list.files(folder).some((name) => isImageName(name) || isOtherPictureName(name));
  });
  // Names may have folders of their own below the place that they are relative to.
  const above = holds.flatMap((folder) => folder.split('/').map((_, i, parts) => parts.slice(0, i).join('/')));
  const rank = (folder: string): number => (/(^|\/)images$/i.test(folder) ? 0 : 1);
  return [...new Set([...holds, ...above])].sort((a, b) => rank(a) - rank(b) || compareNaturally(a, b));
}

/**
 * Finds the files that a metadata file names. Where most names lead nowhere, as after folders were renamed or moved to
 * another machine, all places in the capture are compared by how many names they have, with as few leading folders
 * dropped from the names as possible.
 *
 * @param base folder that names are relative to
 * @throws `ARCHIVE_UNSAFE_PATH` for a name that leads out of the capture and has no counterpart in it
 */
export function locate(list: FileList, base: string, names: readonly string[], rules: LocateRules): Located {
  const direct = names.map((name) =>
    outsideOf(list, base, name) ? undefined : fileAt(list, pathInside(list, base, name), rules),
  );
  const count = direct.filter((path) => path !== undefined).length;
  const moved = count < MISPLACED * names.length ? bestPlace(list, names, rules, count) : undefined;
  const paths = moved ? names.map((name, i) => movedTo(list, name, moved, rules) ?? direct[i]) : direct;
  names.forEach((name, i) => {
    const why = paths[i] === undefined && !moved ? outsideOf(list, base, name) : undefined;
    if (why) throw unsafe(name, why);
  });
  const otherEndings = paths.filter((path, i) => path !== undefined && hasOtherEnding(names[i], path)).length;
  return { paths, moved, otherEndings };
}

const hasOtherEnding = (name: string, path: string): boolean =>
  /\.[a-z0-9]{2,4}$/i.test(name) && !path.toLowerCase().endsWith(name.slice(name.lastIndexOf('.')).toLowerCase());

function movedTo(
  list: FileList,
  name: string,
  { folder, dropped }: { folder: string; dropped: number },
  rules: LocateRules,
): string | undefined {
  const parts = partsOf(name).slice(dropped);
  return parts.length === 0 ? undefined : fileAt(list, joinPath(folder, ...parts), rules);
}

/** The place that has most of the names, more than `atLeast` of them. */
function bestPlace(
  list: FileList,
  names: readonly string[],
  rules: LocateRules,
  atLeast: number,
): { folder: string; dropped: number } | undefined {
  const step = Math.max(1, Math.ceil(names.length / SAMPLE));
  const sample = names.filter((_, i) => i % step === 0);
  const deepest = Math.min(MOST_DROPPED, Math.max(...sample.map((name) => partsOf(name).length)) - 1);
  let best: { folder: string; dropped: number; count: number } | undefined;
  const candidates = places(list);
  for (let dropped = 0; dropped <= deepest; dropped++) {
    for (const folder of candidates) {
      const count = sample.filter((name) => movedTo(list, name, { folder, dropped }, rules) !== undefined).length;
      if (count > (best?.count ?? atLeast / step)) best = { folder, dropped, count };
    }
  }
  return best && { folder: best.folder, dropped: best.dropped };
}
