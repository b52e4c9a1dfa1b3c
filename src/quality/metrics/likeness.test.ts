import { expect, test } from 'vitest';
import { explainedVariation } from './likeness.js';
import type { ImagePlanes } from './planes.js';

const image = (values: readonly number[]): ImagePlanes => {
  const plane = Float32Array.from(values);
  return { width: values.length, height: 1, planes: [plane, plane, plane] };
};
const all = new Uint8Array(4).fill(1);

test('the picture itself explains everything, its mean colour nothing, its negative less than nothing', () => {
  const picture = image([0.2, 0.4, 0.6, 0.8]);
  expect(explainedVariation(picture, picture, all)).toBe(1);
  expect(explainedVariation(picture, image([0.5, 0.5, 0.5, 0.5]), all)).toBeCloseTo(0, 2);
  expect(explainedVariation(picture, image([0.8, 0.6, 0.4, 0.2]), all)).toBe(-1);
});

test('a pale picture is judged like a contrasty one', () => {
  const wrong = (contrast: number) => {
    const of = (values: number[]) => image(values.map((v) => 0.9 + contrast * (v - 0.5)));
    return explainedVariation(of([0.1, 0.9, 0.1, 0.9]), of([0.3, 0.5, 0.5, 0.7]), all)!;
  };
  expect(Math.abs(wrong(0.2) - wrong(1))).toBeLessThan(0.01);
});

test('noise of a picture does not count as error, and a plain one tells nothing', () => {
  const picture = image([0.2, 0.4, 0.6, 0.8]);
  expect(explainedVariation(picture, image([0.205, 0.395, 0.605, 0.795]), all)).toBe(1);
  expect(explainedVariation(image([0.5, 0.501, 0.5, 0.499]), image([0, 0, 0, 0]), all)).toBeNull();
});

test('only pixels of both count', () => {
  const some = Uint8Array.from([1, 1, 1, 0]);
  expect(explainedVariation(image([0.2, 0.4, 0.6, 0.8]), image([0.2, 0.4, 0.6, 0]), some)).toBe(1);
  expect(explainedVariation(image([0.2, 0.4, 0.6, 0.8]), image([0, 0, 0, 0]), new Uint8Array(4))).toBeNull();
});
