import { describe, expect, it } from 'vitest';
import { errorOf } from '../../test/captureScene.js';
import { lengthOfPhotos } from './lengthOfPhotos.js';

describe('lengthOfPhotos', () => {
  const photos = [
    ['one/a.jpg', 'a.jpg'],
    ['two/a.jpg', 'a.jpg'],
    ['two/b.HEIC', 'b.HEIC', 'b.jpg'],
  ];
  const meant = async (a: string, b: string) => lengthOfPhotos({ between: [a, b], distance: 2 }, photos);

  it('takes paths, and names that only one photo has, also that of a photo before it was converted', async () => {
    expect(await meant('two/a.jpg', 'b.HEIC')).toEqual({ between: [1, 2], distance: 2 });
    expect(await meant('b.jpg', 'one/a.jpg')).toEqual({ between: [2, 0], distance: 2 });
    expect(lengthOfPhotos({ meanDistance: 3 }, photos)).toEqual({ meanDistance: 3 });
  });

  it.each([
    ['a.jpg', 'b.jpg', /2 photos have that name.*one\/a\.jpg, two\/a\.jpg/],
    ['b.jpg', 'c.jpg', /stated for c\.jpg, which is no photo here.*one\/a\.jpg/],
    ['', 'b.jpg', /a photo without a name/],
    ['b.jpg', 'b.HEIC', /b\.jpg and b\.HEIC, which are one photo/],
  ])('refuses %j with %j', async (a, b, words) => {
    const refused = { code: 'OPTION_INVALID', subject: 'scale', message: expect.stringMatching(words) };
    expect(await errorOf(meant(a, b))).toMatchObject(refused);
  });
});
