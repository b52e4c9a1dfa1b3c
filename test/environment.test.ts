/**
 * Every environment variable that the sources read is a setting or explained in CONTRIBUTING.md, and a mistyped one is
 * refused.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VARIABLES } from '../src/core/environment.js';
import type { PlinthError } from '../src/core/errors.js';
import { checkEnvironment, describeSettings, loadSettings } from '../src/server/settings.js';
import { plinth, ROOT } from './command.js';

const settings = describeSettings().map((s) => s.environment);
const contributing = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');

function sources(): [string, string][] {
  const folders = ['bench', 'bin', 'examples', 'scripts', 'src', 'test', 'web/src', 'deploy', '.ci', '.github'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(ROOT, folder, String(name))),
  );
  const loose = ['compose.yaml', 'compose.nvidia.yaml', 'compose.scaled.yaml', 'Dockerfile', 'web/vite.config.ts'];
  return [...files, ...loose.map((name) => join(ROOT, name))]
    .filter((path) => statSync(path).isFile() && /(\.(ts|tsx|mjs|js|ya?ml|example)|Dockerfile|run)$/.test(path))
    .map((path) => [path.slice(ROOT.length), readFileSync(path, 'utf8')]);
}

it('knows every variable of Plinth that a source names, and no other', () => {
  const known = new Set([...settings, ...Object.keys(VARIABLES)]);
  const named = new Set<string>();
  for (const [path, text] of sources()) {
    // Names that end in _ are beginnings of names.
    for (const [name] of text.matchAll(/\bPLINTH_[A-Z\d_]*[A-Z\d]\b(?!_)/g)) {
      if (path !== 'src/core/environment.ts') named.add(name);
      const mistyped = path.endsWith('environment.test.ts') || path.endsWith('nearest.test.ts');
      if (!mistyped)
        expect(known, `${path} names ${name}; src/core/environment.ts lists what is no setting`).toContain(name);
    }
  }
  expect(Object.keys(VARIABLES).filter((name) => !named.has(name))).toEqual([]);
});

it('explains in CONTRIBUTING.md every variable that is no setting of the service', () => {
  for (const [name, words] of Object.entries(VARIABLES))
    expect(contributing.includes(`| \`${name}\` | ${words} |`), `${name} with its words`).toBe(true);
  // Other projects' names, and those that a test sets for a program that it wrote itself.
  const foreign =
    /^(PATH|HOME|XDG_CACHE_HOME|VK_\w+|STUB_\w+|FAKE_\w+|STAND_IN_\w+|FAULT_\w+|NODE_\w+|npm_\w+|DATABASE_URL)$/;
  for (const [path, text] of sources()) {
    for (const [, name] of text.matchAll(/process\.env\.(\w+)/g)) {
      if (foreign.test(name) || settings.includes(name)) continue;
      if (!path.endsWith('environment.test.ts'))
        expect(contributing.includes(`| \`${name}\` |`), `${path} reads ${name}`).toBe(true);
    }
  }
});

const refusal = (environment: Record<string, string>): PlinthError => {
  try {
    checkEnvironment(environment);
  } catch (error) {
    return error as PlinthError;
  }
  throw new Error('nothing was refused');
};

it('refuses a mistyped one with the nearest name', () => {
  expect(refusal({ PLINTH_LIMITS_BODYBYTES: '1' })).toMatchObject({
    code: 'SETTINGS_INVALID',
    found: expect.stringContaining('PLINTH_LIMITS_BODYBYTES'),
    expected: expect.stringContaining('PLINTH_LIMITS_BODY_BYTES'),
  });
  expect(refusal({ PLINTH_CAHCE: '/tmp' }).expected).toContain('PLINTH_CACHE');
  expect(() => loadSettings({ environment: { PLINTH_PROT: '1' } })).toThrow('PLINTH_PROT');
  expect(() => checkEnvironment({ PLINTH_PORT: '1', PLINTH_ADAPTER: '0', OTHER: '' })).not.toThrow();
});

it('lets pass what Kubernetes sets for a Service named plinth', () => {
  const environment = {
    PLINTH_PORT: 'tcp://10.0.0.7:80',
    PLINTH_SERVICE_HOST: '10.0.0.7',
    PLINTH_PORT_80_TCP_PORT: '80',
  };
  const { value, origin } = loadSettings({ environment });
  expect(value.port).toBe(7878);
  expect(origin.port).toBe('default');
});

it('refuses one in every command, before any work', async () => {
  process.env.PLINTH_ADAPTR = 'discrete';
  const { code, stdout, stderr } = await plinth('methods').finally(() => delete process.env.PLINTH_ADAPTR);
  expect(code).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/SETTINGS_INVALID\n.*PLINTH_ADAPTR[\s\S]*Perhaps PLINTH_ADAPTER/);
});
