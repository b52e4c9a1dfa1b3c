import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOf, put, useFolders } from '../../../test/captureScene.js';
import { findMaskFile, isInside, resolveInside } from './paths.js';

const folder = useFolders();

describe('resolveInside', () => {
  it('finds a file by its name, with either slash, with or without ending', async () => {
    const root = await folder();
    const file = await put(root, 'images/a b.webp', 'x');
    expect(await resolveInside(root, root, './images/a b.webp')).toBe(file);
    expect(await resolveInside(root, root, 'images\\a b.webp')).toBe(file);
    expect(await resolveInside(root, root, 'images/a b', ['png', 'webp'])).toBe(file);
    expect(await resolveInside(root, join(root, 'meta'), '../images/a b.webp')).toBe(file);
    expect(await resolveInside(root, root, 'images/c', ['png'])).toBeUndefined();
    expect(await resolveInside(root, root, 'images')).toBeUndefined();
  });

  it.each(['../x.png', '/etc/passwd', 'images/../../x.png', '..\\x.png'])('refuses %j', async (name) => {
    const root = await folder();
    const error = await errorOf(resolveInside(root, root, name));
    expect([error.code, error.message.includes(JSON.stringify(name))]).toEqual(['ARCHIVE_UNSAFE_PATH', true]);
  });

  it('refuses links that lead out, of files and of folders, and follows those that stay inside', async () => {
    const outside = await put(await folder(), 'secret.png', 'x');
    const root = await folder();
    const inside = await put(root, 'images/a.png', 'x');
    await symlink(outside, join(root, 'images/link.png'));
    await symlink(join(outside, '..'), join(root, 'away'));
    await symlink(inside, join(root, 'images/same.png'));
    expect((await errorOf(resolveInside(root, root, 'images/link.png'))).code).toBe('ARCHIVE_UNSAFE_PATH');
    expect((await errorOf(resolveInside(root, root, 'away/secret.png'))).code).toBe('ARCHIVE_UNSAFE_PATH');
    expect(await resolveInside(root, root, 'images/same.png')).toBe(join(root, 'images/same.png'));
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

describe('findMaskFile', () => {
  it.each([
    ['images/r_1.jpg', 'masks/r_1.jpg'],
    ['images/r_1.jpg', 'masks/r_1.png'],
    ['images/r_1.jpg', 'masks/r_1.jpg.png'],
    ['images/left/1.jpg', 'masks/left/1.jpg.png'],
    ['images/left/1.jpg', 'masks/images/left/1.png'],
    ['train/r_1.png', 'mask/r_1.webp'],
  ])('finds for %s the mask %s', async (image, mask) => {
    const root = await folder();
    await mkdir(join(root, 'masks'), { recursive: true });
    const expected = await put(root, mask, 'x');
    expect(await findMaskFile(root, root, join(root, image))).toBe(expected);
    expect(await findMaskFile(root, root, join(root, 'images/other.png'))).toBeUndefined();
  });
});
