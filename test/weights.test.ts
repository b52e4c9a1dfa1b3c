/** `plinth weights`, as it is typed, with the true list of files and a server on loopback in place of the true one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { filesOf } from '../src/weights/manifest.js';
import { RECONVIAGEN_WEIGHTS } from '../src/weights/reconviagen.js';
import { useFolders } from './captureScene.js';
import { plinth, plinthIn } from './command.js';
import { writeModelRepository } from './modelRepository.js';
import { useWeightHub } from './weightHub.js';

const newFolder = useFolders();
const startHub = useWeightHub();
const nameOf = ({ repository, file }: ReturnType<typeof filesOf>[number]) => `${repository.name}/${file.path}`;
const NEEDED = filesOf(RECONVIAGEN_WEIGHTS, false).map(nameOf);
/** The miniature under the true names, so that what is fetched is also what the networks need. */
let HUB_FILES: Record<string, Buffer>;
beforeAll(async () => {
  const folder = await newFolder();
  await writeModelRepository(folder);
  HUB_FILES = Object.fromEntries(NEEDED.map((name) => [name, readFileSync(join(folder, name))]));
});

const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('shows licences, fetches once they are accepted, and verifies, with no word of the token', async () => {
  const { endpoint } = await startHub(HUB_FILES);
  const folder = join(await newFolder(), 'w');
  const environment = {
    HF_ENDPOINT: endpoint,
    HF_TOKEN: 'hf_verySecret',
    PLINTH_WEIGHTS: folder,
    PLINTH_TEST_MODELS: '1',
  };
  const run = async (...args: string[]) => {
    const finished = await plinthIn(environment, 'weights', ...args);
    expect(finished.stdout + finished.stderr).not.toContain('hf_very');
    expect(finished.stdout + finished.stderr).not.toContain('signature');
    return finished;
  };

  const absent = await run('verify', 'reconviagen');
  expect(absent.code).toBe(3);
  expect(absent.stderr).toContain('WEIGHTS_MISSING');
  expect(absent.stderr).toContain(`looked in ${folder}: 0 of ${NEEDED.length} files`);
  expect(absent.stderr).toContain('plinth weights download reconviagen');

  const asked = await run('download');
  expect(asked.code).toBe(3);
  expect(asked.stderr).toMatch(
    /never run with these weights[\s\S]*non-commercial until[\s\S]*Apache-2\.0[\s\S]*WEIGHTS_LICENCE/,
  );

  const fetched = await run('download', 'reconviagen', '--accept-licences', '--json');
  expect(fetched.code, fetched.stderr).toBe(0);
  expect(fetched.stderr).toContain('never run with these weights');
  expect(jsonLines(fetched.stdout).at(-1)).toEqual({ event: 'done', folder, fetched: NEEDED });
  for (const name of NEEDED) expect(readFileSync(join(folder, name)).equals(HUB_FILES[name]), name).toBe(true);

  const good = await run('verify');
  expect(good.code, good.stderr).toBe(0);
  expect(good.stdout).toContain(`All ${NEEDED.length} files are here`);
  expect(good.stdout.match(/^good /gm)).toHaveLength(NEEDED.filter((name) => name.endsWith('.safetensors')).length);

  const miniature = await plinthIn({ ...environment, PLINTH_TEST_MODELS: '' }, 'weights', 'verify');
  expect(miniature.code).toBe(3);
  expect(miniature.stderr).toMatch(/WEIGHTS_UNSUPPORTED[\s\S]*not of the published size/);

  const broken = 'Stable-X/vggt-object-v0-1/model.safetensors';
  writeFileSync(join(folder, broken), HUB_FILES[broken].subarray(0, -1));
  const bad = await run('verify', '--json');
  expect(bad.code).toBe(3);
  expect(jsonLines(bad.stdout).at(-1)).toMatchObject({ error: { code: 'WEIGHTS_INVALID', subject: broken } });
  const [listed] = jsonLines((await run('list', '--json')).stdout) as [{ repositories: { licence: object }[] }];
  expect(listed.repositories.map(({ licence }) => licence)).toMatchObject(Array(3).fill({ accepted: true }));
});

it('names the folder by flag, variable and cache, and refuses methods that it knows no weights of', async () => {
  const path = async (environment: Record<string, string>, ...args: string[]) =>
    (await plinthIn({ PLINTH_WEIGHTS: '', ...environment }, 'weights', 'path', ...args)).stdout.trim();
  expect(await path({ PLINTH_CACHE: '/some/cache' })).toBe('/some/cache/weights');
  expect(await path({ PLINTH_WEIGHTS: '/named' })).toBe('/named');
  expect(await path({ PLINTH_WEIGHTS: '/named' }, '--weights', '/flag')).toBe('/flag');
  const { code, stderr } = await plinth('weights', 'list', 'fusion');
  expect(code).toBe(2);
  expect(stderr).toMatch(/OPTION_INVALID[\s\S]*"fusion"[\s\S]*reconviagen/);
});

it('tells with the method that its weights are missing, and refuses to begin before a photo is read', async () => {
  const folder = await newFolder();
  const environment = { PLINTH_WEIGHTS: folder };
  const missing = `looked in ${folder}: 0 of ${NEEDED.length} files`;
  expect((await plinthIn(environment, 'methods')).stdout).toMatch(/reconviagen –[\s\S]*Cannot run here: The weights/);
  const told = jsonLines((await plinthIn(environment, 'methods', '--json')).stdout);
  expect(told.find(({ name }) => name === 'reconviagen')).toMatchObject({
    unavailable: { code: 'WEIGHTS_MISSING', found: expect.stringContaining(missing) },
  });
  expect(told.find(({ name }) => name === 'fusion')).not.toHaveProperty('unavailable');
  const begun = await plinthIn(environment, 'reconstruct', 'no/such/photos', '-o', 'x', '-m', 'reconviagen');
  expect(begun.code).toBe(3);
  expect(begun.stderr).toContain('WEIGHTS_MISSING');
  expect(begun.stderr).toContain('plinth weights download reconviagen');
  expect((await plinth('--help')).stdout).toContain('weights');
});
