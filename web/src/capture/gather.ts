import { isLitter } from '../../../src/capture/layout/names.js';
import type { NamedFile } from '../api.js';

/**
 * Files of a drop, folders walked through. Must be called within the drop event: the browser forgets the items
 * afterwards.
 */
export function gatherDrop(data: DataTransfer): Promise<NamedFile[]> {
  const entries = [...data.items].filter((i) => i.kind === 'file').map((i) => i.webkitGetAsEntry());
  const loose = [...data.files];
  if (entries.some((e) => e !== null)) {
    return Promise.all(entries.filter((e) => e !== null).map((e) => walk(e, ''))).then((lists) => clean(lists.flat()));
  }
  return Promise.resolve(clean(loose.map((f) => ({ name: f.name, data: f }))));
}

/** Files of an `<input type="file">`. */
export const gatherInput = (files: FileList): NamedFile[] =>
  clean([...files].map((f) => ({ name: f.webkitRelativePath || f.name, data: f })));

const clean = (files: NamedFile[]): NamedFile[] =>
  files.filter((f) => !isLitter(f.name)).sort((a, b) => (a.name < b.name ? -1 : 1));

async function walk(entry: FileSystemEntry, folder: string): Promise<NamedFile[]> {
  const name = folder + entry.name;
  if (entry.isFile) {
    const data = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ name, data }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: NamedFile[] = [];
  // Browsers hand out a hundred at a time and an empty list at the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return found;
    for (const child of part) found.push(...(await walk(child, `${name}/`)));
  }
}
