import { expect, test } from 'vitest';
import { withoutPaths } from './withoutPaths.js';

test.each([
  [
    "ENOENT: no such file, open '/srv/my data/work/1/a/output/fusion'",
    "ENOENT: no such file, open 'work/1/a/output/fusion'",
  ],
  ['at run (file:///opt/plinth/dist/jobs/attempt.js:12:3)', 'at run (attempt.js:12:3)'],
  ['The folder /srv/my data is full', 'The folder . is full'],
  [
    'front.png and images/r_0.png differ by 3 m/s and/or more',
    'front.png and images/r_0.png differ by 3 m/s and/or more',
  ],
  [
    'see https://example.com/docs/captures and GET /v1/jobs/1',
    'see https://example.com/docs/captures and GET /v1/jobs/1',
  ],
])('%s', (text, expected) => {
  expect(withoutPaths(text, ['/srv/my data'])).toBe(expected);
});
