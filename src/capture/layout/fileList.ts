import { keyOf } from '../../core/nameKey.js';
import { isLitter } from './names.js';

const depthOf = (path: string): number => (path === '' ? 0 : path.split('/').length);

/** Orders names with numbers by their numbers: `images_2` before `images_10`. The same everywhere. */
export function compareNaturally(a: string, b: string): number {
  const [p, q] = [a, b].map((text) => text.split(/(\d+)/));
  for (let i = 0; i < Math.min(p.length, q.length); i++) {
    if (p[i] === q[i]) continue;
    const difference = i % 2 === 1 ? Number(p[i]) - Number(q[i]) : 0;
    if (difference !== 0) return difference;
    return p[i] < q[i] ? -1 : 1;
  }
  return p.length - q.length;
}

interface Folder {
  files: string[];
  folders: string[];
}

/**
 * The files of a capture by their paths alone, so that a folder, an archive and files dropped into the page are
 * understood by the same rules. Paths are relative to the capture, with `/` between folders; a path that ends with `/`
 * is a folder. What archivers and desktops leave behind is not listed.
 */
export class FileList {
  /** The files, in the order of their UTF-16 code units. */
  readonly paths: readonly string[];
  private readonly tree = new Map<string, Folder>([['', { files: [], folders: [] }]]);
  private readonly exact: ReadonlySet<string>;
  private readonly byKey = new Map<string, string>();

  /** @param root where the capture lies, for messages; not needed where there is no such place */
  constructor(
    paths: Iterable<string>,
    private readonly root = '',
  ) {
    const kept = [...new Set(paths)].filter((path) => !isLitter(path)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.paths = kept.filter((path) => !path.endsWith('/'));
    this.exact = new Set(this.paths);
    for (const path of this.paths) if (!this.byKey.has(keyOf(path))) this.byKey.set(keyOf(path), path);
    for (const path of kept) {
      const at = path.lastIndexOf('/', path.length - 2);
      if (path.endsWith('/')) this.folder(path.slice(0, -1));
      else this.folder(path.slice(0, Math.max(0, at))).files.push(path.slice(at + 1));
    }
  }

  private folder(path: string): Folder {
    const known = this.tree.get(path);
    if (known) return known;
    const made: Folder = { files: [], folders: [] };
    this.tree.set(path, made);
    const at = path.lastIndexOf('/');
    this.folder(path.slice(0, Math.max(0, at))).folders.push(path.slice(at + 1));
    return made;
  }

  /** Names of the files directly in a folder. */
  files(folder: string): readonly string[] {
    return this.tree.get(folder)?.files ?? [];
  }

  /** Names of the folders directly in a folder. */
  folders(folder: string): readonly string[] {
    return this.tree.get(folder)?.folders ?? [];
  }

  /** Every folder, the capture itself ('') first. */
  allFolders(): string[] {
    return [...this.tree.keys()].sort((a, b) => depthOf(a) - depthOf(b) || compareNaturally(a, b));
  }

  /**
   * The file that a path means: of exactly this name, else of one that differs in case or in how Unicode composes its
   * letters (macOS takes accents apart, Windows does not care for case).
   */
  find(path: string): string | undefined {
    return this.exact.has(path) ? path : this.byKey.get(keyOf(path));
  }

  has(path: string): boolean {
    return this.exact.has(path);
  }

  hasFolder(path: string): boolean {
    return this.tree.has(path);
  }

  /** The path in the list of an absolute path; undefined where it does not lie in the capture. */
  below(absolute: string): string | undefined {
    return this.root !== '' && absolute.startsWith(`${this.root}/`) ? absolute.slice(this.root.length + 1) : undefined;
  }

  /** How to call a file in an error's `subject`. */
  locate(path: string): string {
    return this.root === '' ? path : path === '' ? this.root : `${this.root}/${path}`;
  }
}
