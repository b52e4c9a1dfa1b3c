import { describe, expect, it } from 'vitest';
import { FileList } from './fileList.js';
import { findMask } from './masks.js';

describe('findMask', () => {
  it.each([
    ['images/r_1.jpg', 'masks/r_1.jpg'],
    ['images/r_1.jpg', 'masks/r_1.png'],
    ['images/r_1.jpg', 'masks/r_1.jpg.png'],
    ['images/left/1.jpg', 'masks/left/1.jpg.png'],
    ['images/left/1.jpg', 'masks/images/left/1.png'],
    ['train/r_1.png', 'mask/r_1.webp'],
  ])('finds for %s the mask %s', (image, mask) => {
    for (const base of ['', 'capture']) {
      const at = (path: string): string => (base === '' ? path : `${base}/${path}`);
      const list = new FileList([at(image), at(mask), at('masks/')]);
      expect(findMask(list, [base], at(image))).toEqual({ path: at(mask), inverted: false });
      expect(findMask(list, [base], at('images/other.png'))).toBeUndefined();
    }
  });
});
