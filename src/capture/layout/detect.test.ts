import { describe, expect, it } from 'vitest';
import { put, useFolders } from '../../../test/captureScene.js';
import { FILE_SETS } from '../../../test/fileLists.js';
import { listFolder } from '../files/captureFolder.js';
import { detectLayout } from './detect.js';
import { FileList } from './fileList.js';

const folder = useFolders();

describe('detectLayout', () => {
  it.each(FILE_SETS)('says of $name: $kind', async ({ files, kind, root = '' }) => {
    expect(detectLayout(new FileList(Object.keys(files)))).toMatchObject({ kind, root });
    // The same of files on disk.
    const path = await folder();
    for (const [name, text] of Object.entries(files)) await put(path, name, text);
    const { list } = await listFolder(path);
    expect(detectLayout(list)).toEqual(detectLayout(new FileList(Object.keys(files))));
  });

  it('takes the test split before the validation split, and names what it finds', () => {
    const layout = (...names: string[]) => detectLayout(new FileList(names));
    expect(layout('transforms_train.json', 'transforms_val.json')).toMatchObject({
      files: [
        { file: 'transforms_train.json', split: 'train' },
        { file: 'transforms_val.json', split: 'test' },
      ],
    });
    expect(layout('transforms_train.json', 'transforms_val.json', 'transforms_test.json')).toMatchObject({
      files: [
        { file: 'transforms_train.json', split: 'train' },
        { file: 'transforms_test.json', split: 'test' },
      ],
    });
    expect(layout('b.glb', 'models/a.obj')).toMatchObject({ kind: 'nothing', names: ['models/', 'b.glb'] });
    expect(layout('a.png', 'images/b.jpg')).toMatchObject({ images: ['a.png', 'images/b.jpg'] });
  });
});
