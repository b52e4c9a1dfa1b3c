/**
 * Builds the image and runs it for real. Takes minutes and a Docker daemon, so it runs where PLINTH_TEST_CONTAINER=1 is
 * set. PLINTH_TEST_IMAGE names an image that is built already.
 */
import { execFile, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../command.js';

const run = promisify(execFile);
const asked = process.env.PLINTH_TEST_CONTAINER === '1';
const daemon = asked && spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0;
if (!asked) console.info('container tests are left out: set PLINTH_TEST_CONTAINER=1 to run them');
else if (!daemon) console.warn('container tests are left out: no Docker daemon answers (see DOCKER_HOST)');

const IMAGE = process.env.PLINTH_TEST_IMAGE ?? 'plinth:test';
const NETWORK = `plinth-test-${process.pid}`;
const CONFINED = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true'];
const OPEN = ['--env', 'PLINTH_AUTH_MODE=off', '--env', 'PLINTH_AUTH_ALLOW_OPEN=true'];

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

const docker = async (...args: string[]): Promise<string> => (await run('docker', args, { cwd: ROOT })).stdout.trim();

/** Runs a container to its end. */
async function once(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await run('docker', ['run', '--rm', '--network', 'none', ...CONFINED, ...args])) };
  } catch (error) {
    return error as Ended;
  }
}

/** Reads the whole answer. One that is lost on the way through a starting container's proxy must not be waited for. */
async function ask(
  address: string,
  init: RequestInit = {},
): Promise<{ status: number; type: string | null; body: Buffer }> {
  const response = await fetch(address, { ...init, signal: AbortSignal.timeout(300_000) });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get('content-type'), body };
}

const inspect = (container: string, format: string): Promise<string> =>
  docker('inspect', '--format', format, container);

async function until(what: string, seconds: number, done: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await done().catch(() => false))) {
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(500);
  }
}

describe.skipIf(!daemon)('the container image', () => {
  const containers: string[] = [];

  /** Starts a service in the background and answers its container and address. */
  async function start(...args: string[]): Promise<{ container: string; url: string }> {
    const published = ['--network', NETWORK, '--publish', '127.0.0.1::7878'];
    const container = await docker('run', '--detach', ...published, ...CONFINED, ...args, IMAGE);
    containers.push(container);
    return { container, url: await addressOf(container) };
  }
  const addressOf = async (container: string): Promise<string> =>
    `http://${await docker('port', container, '7878/tcp')}`;
  const ready = (url: string): Promise<void> =>
    until('ready', 300, async () => (await ask(`${url}/health/ready`)).status === 200);

  const submit = async (url: string): Promise<string> => {
    const { status, body } = await ask(`${url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ example: 'vase-six', methods: [{ method: 'fusion', preset: 'draft' }] }),
    });
    expect(status).toBe(202);
    return (JSON.parse(body.toString()) as { id: string }).id;
  };
  const stateOf = async (url: string, job: string): Promise<string> =>
    (JSON.parse((await ask(`${url}/v1/jobs/${job}`)).body.toString()) as { state: string }).state;

  beforeAll(async () => {
    if (!process.env.PLINTH_TEST_IMAGE) await run('docker', ['build', '--tag', IMAGE, ROOT], { maxBuffer: 2 ** 28 });
    await docker('network', 'create', NETWORK);
    console.info(`${IMAGE}: ${(Number(await inspect(IMAGE, '{{.Size}}')) / 1e6).toFixed(0)} MB`);
  }, 1_800_000);

  afterAll(async () => {
    for (const container of containers) await docker('rm', '--force', '--volumes', container);
    await docker('network', 'rm', NETWORK);
  });

  it('turns healthy on a read-only root as a plain user, reconstructs the example to its GLB, stops cleanly, ' +
    'and goes on with its job', async () => {
    const begin = performance.now();
    const { container, url } = await start(...OPEN);
    await ready(url);
    console.info(`from docker run to ready: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    await until('healthy', 60, async () => (await inspect(container, '{{.State.Health.Status}}')) === 'healthy');

    expect(await docker('exec', container, 'id', '-u')).toBe('1000');
    const status = await docker('exec', container, 'cat', '/proc/1/status');
    expect(status).toMatch(/^CapEff:\t0+$/m);
    // No shell between the signals and the service.
    expect(await docker('exec', container, 'cat', '/proc/1/cmdline')).toBe('tini\0-e\x00143\0--\0plinth\0serve\0');
    await expect(docker('exec', container, 'touch', '/app/x')).rejects.toThrow('Read-only file system');

    const job = await submit(url);
    await until('the job', 900, async () => ['succeeded', 'failed'].includes(await stateOf(url, job)));
    expect(await stateOf(url, job)).toBe('succeeded');
    const { type, body: glb } = await ask(`${url}/v1/jobs/${job}/files/asset.glb`);
    expect(type).toBe('model/gltf-binary');
    expect(glb.toString('latin1', 0, 4)).toBe('glTF');
    expect(glb.readUInt32LE(8)).toBe(glb.length);

    const second = await submit(url);
    await until('work', 60, async () => (await stateOf(url, second)) === 'running');
    await docker('stop', '--time', '15', container);
    expect(await inspect(container, '{{.State.ExitCode}} {{.State.OOMKilled}}')).toBe('0 false');

    await docker('start', container);
    const again = await addressOf(container);
    await ready(again);
    expect(['queued', 'running', 'succeeded']).toContain(await stateOf(again, second));
    expect((await ask(`${again}/v1/jobs/${job}/files/asset.glb`)).status).toBe(200);
    await docker('stop', '--time', '15', container);
  }, 1_800_000);

  it('ends at once with its message and code where a GPU is required and missing', async () => {
    const { code, stderr } = await once('--env', 'PLINTH_GPU_POLICY=required', IMAGE);
    expect(code).toBe(10);
    expect(stderr).toContain('GPU_REQUIRED_MISSING');
    expect(stderr).toContain('NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics');
  }, 600_000);

  it('can be stopped while it still starts', async () => {
    const { container } = await start(...OPEN);
    await docker('stop', '--time', '15', container);
    expect(await inspect(container, '{{.State.ExitCode}}')).toBe('0');
  }, 600_000);

  it('lets in nobody without a key by default, and makes the first key from its volume', async () => {
    const volume = `${NETWORK}-keys`;
    try {
      const mount = ['--volume', `${volume}:/data`];
      const made = await once(...mount, IMAGE, 'keys', 'create', '--name', 'first', '--scope', 'read');
      const key = made.stdout.trim();
      expect(key).toMatch(/^plinth_/);
      const { container, url } = await start(...mount);
      await ready(url);
      expect((await ask(`${url}/v1/jobs`)).status).toBe(401);
      expect((await ask(`${url}/v1/jobs`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
      await docker('rm', '--force', container);
      containers.splice(containers.indexOf(container), 1);
    } finally {
      await docker('volume', 'rm', '--force', volume);
    }
  }, 600_000);

  it('is described by Compose files that Compose accepts', async () => {
    const env = { ...process.env, POSTGRES_PASSWORD: 'a', S3_ACCESS_KEY: 'b', S3_SECRET_KEY: 'c' };
    for (const file of ['compose.yaml', 'compose.nvidia.yaml', 'compose.scaled.yaml'])
      await run('docker', ['compose', '--file', file, 'config', '--quiet'], { cwd: ROOT, env });
    const bare = { ...process.env, POSTGRES_PASSWORD: '', S3_ACCESS_KEY: '', S3_SECRET_KEY: '' };
    const unset = run('docker', ['compose', '--file', 'compose.scaled.yaml', 'config', '--quiet'], {
      cwd: ROOT,
      env: bare,
    });
    await expect(unset).rejects.toThrow('is missing a value');
  }, 600_000);
});
