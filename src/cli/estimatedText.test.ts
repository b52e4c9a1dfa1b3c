import { expect, test } from 'vitest';
import { estimatedText } from './estimatedText.js';

const six = {
  leftConvention: 'object',
  topTurn: 90,
  bottomTurn: 0,
  focal: 1.3854,
  focalFrom: 'pictures',
  focalDeviation: 0.036,
  fieldOfView: 39.69,
  distance: 3.2,
  distanceFrom: 'default',
  depth: { kind: 'relative', model: 'distance', brighterIs: 'farther' },
  misfit: 0.000145,
  ambiguous: [{}],
  views: [
    { view: 'front', insideOthers: 1, surfaceDistance: 0.0114, depthScale: 0.0033563, depthOffset: 2.3598 },
    { view: 'top', colorShift: [0.00141, -0.002] },
  ],
};

test('six views are told in sentences and a table, with a dash where nothing is known', () => {
  const text = estimatedText(six);
  expect(text).toContain("left is the object's left, top turned by 90°, bottom by 0° (1 others fit as well)");
  expect(text).toContain('1.385 picture widths (39.7°), from pictures ± 4 %');
  expect(text).toMatch(/front +100\.0 % +0\.011 % +0\.003356 +2\.360 +–/);
  expect(text).toMatch(/top +– +– +– +– +0\.14 %, -0\.20 %/);
  expect(estimatedText({ ...six, depth: undefined, focalRange: [0.6, 2.2] })).toContain('0.6 to 2.2 fit');
});

test('anything else is shown as it is', () => {
  expect(estimatedText({ up: 'from the cameras' })).toContain('"up": "from the cameras"');
});
