import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { absolutePath, isInside, listFolder } from './captureFolder.js';

const folder = useFolders();

describe('listFolder', () => {
  it('lists files and folders, without what desktops leave behind', async () => {
    const root = await folder();
    await put(root, 'images/b c/1.png', 'x');
    await put(root, 'a.json', 'x');
    await put(root, '.DS_Store', 'x');
    await put(root, '__MACOSX/images/._1.png', 'x');
    await put(root, 'images/Thumbs.db', 'x');
    await mkdir(join(root, 'empty'));
    const { list } = await listFolder(root);
    expect(list.paths).toEqual(['a.json', 'images/b c/1.png']);
    expect(list.folders('')).toEqual(['empty', 'images']);
    expect(list.files('images/b c')).toEqual(['1.png']);
    expect(list.locate('a.json')).toBe(join(root, 'a.json'));
  });

  it('does not walk in circles, and lists links that lead nowhere as files', async () => {
    const root = await folder();
    await put(root, 'images/1.png', 'x');
    await symlink(root, join(root, 'images/up'));
    await symlink('self.png', join(root, 'self.png'));
    const { list } = await listFolder(root);
    expect(list.paths).toEqual(['images/1.png', 'self.png']);
  });
});

describe('absolutePath', () => {
  it('refuses links that lead out, of files and of folders, and follows those that stay inside', async () => {
    const outside = await put(await folder(), 'secret.png', 'x');
    const root = await folder();
    const inside = await put(root, 'images/a.png', 'x');
    await symlink(outside, join(root, 'images/link.png'));
    await symlink(join(outside, '..'), join(root, 'away'));
    await symlink(inside, join(root, 'images/same.png'));
    const capture = await listFolder(root);
    expect((await errorOf(absolutePath(capture, 'images/link.png'))).code).toBe('ARCHIVE_UNSAFE_PATH');
    expect((await errorOf(absolutePath(capture, 'away/secret.png'))).code).toBe('ARCHIVE_UNSAFE_PATH');
    expect(await absolutePath(capture, 'images/same.png')).toBe(join(root, 'images/same.png'));
  });
});

describe('isInside', () => {
  it('is not fooled by a common beginning', () => {
    expect(isInside('/a/b', '/a/b/c')).toBe(true);
    expect(isInside('/a/b', '/a/b')).toBe(true);
    expect(isInside('/a/b', '/a/bc')).toBe(false);
    expect(isInside('/a/b', '/a/..b')).toBe(false);
    expect(isInside('/a/b', '/a/b/..c')).toBe(true);
  });
});
