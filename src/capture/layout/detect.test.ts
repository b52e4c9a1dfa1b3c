import { describe, expect, it } from 'vitest';
import { put, useFolders } from '../../../test/captureScene.js';
import { FILE_SETS } from '../../../test/fileLists.js';
import { folderAccess, listFolder } from '../files/captureFolder.js';
import type { FileAccess } from './access.js';
import { findLayouts } from './detect.js';
import { FileList } from './fileList.js';

const folder = useFolders();

/** Files that are in memory. */
const held = (files: Record<string, string>): FileAccess => ({
  list: new FileList(Object.keys(files)),
  read: async (path) => new TextEncoder().encode(files[path]),
});

describe('findLayouts', () => {
  it.each(FILE_SETS)('says of $name: $kind', async ({ files, kind, root = '' }) => {
    const layouts = await findLayouts(held(files));
    expect(layouts[0]).toMatchObject({ kind, root });
    // The same of files on disk.
    const path = await folder();
    for (const [name, text] of Object.entries(files)) await put(path, name, text);
    expect(await findLayouts(folderAccess(await listFolder(path)))).toEqual(layouts);
  });

  it('takes the test split before the validation split, and names what it finds', async () => {
    const layout = async (...names: string[]) =>
      (await findLayouts(held(Object.fromEntries(names.map((name) => [name, ''])))))[0];
    expect(await layout('transforms_train.json', 'transforms_val.json')).toMatchObject({
      files: [
        { file: 'transforms_train.json', split: 'train' },
        { file: 'transforms_val.json', split: 'test' },
      ],
    });
    expect(await layout('transforms_train.json', 'transforms_val.json', 'transforms_test.json')).toMatchObject({
      files: [
        { file: 'transforms_train.json', split: 'train' },
        { file: 'transforms_test.json', split: 'test' },
      ],
      unread: ['transforms_val.json'],
    });
    expect(await layout('b.glb', 'models/a.obj')).toMatchObject({ kind: 'nothing', names: ['models/', 'b.glb'] });
    expect(await layout('a.png', 'images/b.jpg')).toMatchObject({ images: ['a.png', 'images/b.jpg'] });
  });
});
