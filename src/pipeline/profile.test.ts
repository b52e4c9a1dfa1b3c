import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { profileFromEnvironment } from './profile.js';

const folder = mkdtempSync(join(tmpdir(), 'plinth-profile-'));
const profile = { device: 'A GPU', clock: 'wall', seconds: 1, stages: [], spans: [], lost: 0 } as const;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('PLINTH_PROFILE asks for a table alone, or for a trace too, in a folder that exists', () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  vi.stubEnv('PLINTH_PROFILE', undefined);
  expect(profileFromEnvironment()).toBeUndefined();

  vi.stubEnv('PLINTH_PROFILE', '1');
  profileFromEnvironment()?.({ ...profile, stages: [], spans: [] });
  expect(written.join('')).toMatch(/^Profile on A GPU/);

  const file = join(folder, 'trace.json');
  vi.stubEnv('PLINTH_PROFILE', file);
  profileFromEnvironment()?.({ ...profile, stages: [], spans: [] });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty('traceEvents');
  expect(written.at(-1)).toContain(file);

  vi.stubEnv('PLINTH_PROFILE', join(folder, 'none', 'trace.json'));
  expect(() => profileFromEnvironment()).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});
