import { describe, expect, it } from 'vitest';
import { PlinthError } from '../../core/errors.js';
import { FileList } from './fileList.js';
import { resolveName } from './resolveName.js';

const list = new FileList(['images/a b.webp', 'meta/transforms.json'], '/captures/vase');

describe('resolveName', () => {
  it('finds a file by its name, with either slash, with or without ending', () => {
    const file = 'images/a b.webp';
    expect(resolveName(list, '', './images/a b.webp')).toBe(file);
    expect(resolveName(list, '', 'images\\a b.webp')).toBe(file);
    expect(resolveName(list, '', 'images/a b', ['png', 'webp'])).toBe(file);
    expect(resolveName(list, 'meta', '../images/a b.webp')).toBe(file);
    expect(resolveName(list, '', '/captures/vase/images/a b.webp')).toBe(file);
    expect(resolveName(list, '', 'images/c', ['png'])).toBeUndefined();
    expect(resolveName(list, '', 'images')).toBeUndefined();
  });

  it.each([
    '../x.png',
    '/etc/passwd',
    'images/../../x.png',
    '..\\x.png',
    '/captures/vase/../x.png',
    'C:\\x.png',
    'a\0.png',
  ])('refuses %j', (name) => {
    const refused = (): PlinthError => {
      try {
        resolveName(list, '', name);
      } catch (error) {
        if (error instanceof PlinthError) return error;
      }
      throw new Error('it was not refused');
    };
    expect([refused().code, refused().message.includes(JSON.stringify(name))]).toEqual(['ARCHIVE_UNSAFE_PATH', true]);
  });
});
