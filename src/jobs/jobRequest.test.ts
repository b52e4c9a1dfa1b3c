import { expect, test } from 'vitest';
import { jobRequestSchema } from '../api/jobRequest.js';
import { nameRuns } from './jobRequest.js';

test('runs are named by their method, numbered where one occurs twice', () => {
  const methods = ['fusion', 'nvdiffrec', 'fusion'].map((method) => ({ method }));
  const runs = nameRuns(jobRequestSchema.parse({ methods }));
  expect(runs.map((r) => r.name)).toEqual(['fusion', 'nvdiffrec', 'fusion-2']);
});

test('an unknown method and a wrong option name their field', () => {
  const named = (run: object) => () => nameRuns(jobRequestSchema.parse({ methods: [{ method: 'fusion' }, run] }));
  expect(named({ method: 'magic' })).toThrow(
    expect.objectContaining({ code: 'METHOD_UNKNOWN', subject: 'methods.1.method' }),
  );
  expect(named({ method: 'fusion', options: { triangles: 3 } })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', subject: 'methods.1.options.triangles' }),
  );
});
