/** The set-up of a clone: which Node it goes on with, and what it does not disturb. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, ROOT } from './command.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plinth-set-up-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[], environment: Record<string, string> = {}): [ChildProcess, Promise<Finished>] {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (d) => {
    stdout += d;
  });
  child.stderr.on('data', (d) => {
    stderr += d;
  });
  return [child, new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))];
}

/** Lets a program see an older Node than the one that it runs on. */
const OLD = [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    "Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.19.4'}})",
  )}`,
];
const COMMAND = join(ROOT, 'bin/plinth.js');

/** A cache with a "Node" of a version, which is a link to a program. */
function cacheWith(name: string, version: string, program: string): string {
  const cache = join(folder, name);
  const bin = join(cache, `node-${version}-${process.platform}-${process.arch}`, 'bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(program, join(bin, 'node'));
  return cache;
}

describe('plinth under a Node that is too old', () => {
  it('says what it found, what it needs and where to get it', async () => {
    const { code, stdout, stderr } = await start([...OLD, COMMAND, 'doctor'], {
      PLINTH_CACHE: join(folder, 'none'),
    })[1];
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/NODE_TOO_OLD[\s\S]*Node 20\.19\.4 here[\s\S]*22\.12[\s\S]*nodejs\.org/);
  });

  it('leaves alone one in the cache that is too old as well', async () => {
    const cache = cacheWith('older', '22.11.0', process.execPath);
    expect((await start([...OLD, COMMAND, '--version'], { PLINTH_CACHE: cache })[1]).code).toBe(3);
  });

  it('goes on with the one in the cache: with its arguments, streams and exit code', async () => {
    // What is started is a shell in Node's place, which tells how it was called.
    const cache = cacheWith('fitting', '24.1.0', '/bin/echo');
    const { code, stdout } = await start([...OLD, COMMAND, 'inspect', 'a b'], { PLINTH_CACHE: cache })[1];
    expect(stdout.trim()).toBe(`${COMMAND} inspect a b`);
    expect(code).toBe(0);
    const failing = cacheWith('failing', '24.1.0', '/bin/false');
    expect((await start([...OLD, COMMAND], { PLINTH_CACHE: failing })[1]).code).toBe(1);
  });

  it('hands signals on, and ends with what they ended', async () => {
    const cache = cacheWith('slow', '24.1.0', process.execPath);
    const relay = `import { goOnWith } from '${pathToFileURL(join(ROOT, 'bin/node.js')).href}';
      goOnWith(process.execPath, ['-e', 'process.on("SIGINT", () => process.exit(7)); console.log("up"); setInterval(() => {}, 1e6)']);`;
    const [child, ended] = start(['--input-type=module', '-e', relay], { PLINTH_CACHE: cache });
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill('SIGINT');
    expect((await ended).code).toBe(7);
  });

  it('ends what it started when it is killed itself', async () => {
    const inner = `import { endWithStarter } from '${pathToFileURL(join(ROOT, 'bin/node.js')).href}';
      endWithStarter(); console.log('up'); setInterval(() => {}, 1e6);`;
    const relay = `import { goOnWith } from '${pathToFileURL(join(ROOT, 'bin/node.js')).href}';
      goOnWith(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(inner)}]);`;
    const [child, ended] = start(['--input-type=module', '-e', relay]);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill('SIGKILL');
    // Its streams close when the last process that holds them has ended: with one that goes on, this waits for ever.
    expect((await ended).code).toBeNull();
  });
});

it('asks for the same Node everywhere', async () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
  const script = `import { MINIMUM_NODE } from './bin/node.js'; console.log(MINIMUM_NODE)`;
  const minimum = (await start(['--input-type=module', '-e', script])[1]).stdout.trim();
  expect(`${manifest.engines.node}.0`).toBe(`>=${minimum}`);
  const short = minimum.replace(/\.0$/, '');
  for (const document of ['README.md', 'CONTRIBUTING.md'])
    expect(readFileSync(join(ROOT, document), 'utf8')).toContain(`Node ${short} or newer`);
});

describe('two set-ups in one clone', () => {
  /** A copy of the script in a clone of its own, so that its lock is not the one of this clone. */
  function clone(name: string): string {
    const root = join(folder, name);
    mkdirSync(join(root, 'scripts'), { recursive: true });
    writeFileSync(join(root, 'scripts/setUp.mjs'), readFileSync(join(ROOT, 'scripts/setUp.mjs')));
    return root;
  }
  const working = (root: string, name: string): string => `
    import { appendFileSync } from 'node:fs';
    import { alone } from '${pathToFileURL(join(root, 'scripts/setUp.mjs')).href}';
    await alone(async () => {
      appendFileSync('${root}/order', '${name} begins\\n');
      await new Promise((resolve) => setTimeout(resolve, 500));
      appendFileSync('${root}/order', '${name} ends\\n');
    });`;

  it('work one after the other', async () => {
    const root = clone('both');
    const names = ['a', 'b', 'c'];
    const all = await Promise.all(names.map((n) => start(['--input-type=module', '-e', working(root, n)])[1]));
    expect(all.map((f) => f.code)).toEqual([0, 0, 0]);
    const order = readFileSync(join(root, 'order'), 'utf8').trim().split('\n');
    expect(order).toHaveLength(6);
    for (let i = 0; i < 6; i += 2) expect(order[i + 1]).toBe(order[i].replace('begins', 'ends'));
    expect(readdirSync(join(root, '.plinth'))).toEqual([]);
  });

  it('do not wait for one that was killed', async () => {
    const root = clone('killed');
    const [child, ended] = start([
      '--input-type=module',
      '-e',
      `${working(root, 'first')}`.replace('setTimeout(resolve, 500)', 'console.log(1) ?? setInterval(() => {}, 1e6)'),
    ]);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill('SIGKILL');
    await ended;
    expect((await start(['--input-type=module', '-e', working(root, 'second')])[1]).code).toBe(0);
    expect(readFileSync(join(root, 'order'), 'utf8')).toBe('first begins\nsecond begins\nsecond ends\n');
  });

  it('put what they make in the place of the former by a rename, so that what is open stays whole', async () => {
    const root = clone('swap');
    for (const name of ['dist', 'made']) {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, 'file'), name);
    }
    const script = `import { replace } from '${pathToFileURL(join(root, 'scripts/setUp.mjs')).href}';
      import { openSync, readFileSync } from 'node:fs';
      const open = openSync('${root}/dist/file');
      replace('${root}/dist', '${root}/made', '${root}/former');
      console.log(readFileSync(open, 'utf8'), readFileSync('${root}/dist/file', 'utf8'));`;
    expect((await start(['--input-type=module', '-e', script])[1]).stdout).toBe('dist made\n');
    expect(existsSync(join(root, 'made'))).toBe(false);
  });
});

describe('npm run dev', () => {
  const freePort = (): Promise<number> =>
    new Promise((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });

  it('serves the page from its sources and takes its requests to a service', async () => {
    const port = await freePort();
    const data = join(folder, 'dev');
    const [child, ended] = start(
      [
        join(ROOT, 'scripts/dev.mjs'),
        '--data',
        data,
        '--gpu-policy',
        'off',
        '--gpu-skip-slow-checks',
        '--log-level',
        'silent',
      ],
      { PLINTH_DEV_PORT: String(port), PLINTH_WORKER_ADAPTERS: '' },
    );
    const url = `http://127.0.0.1:${port}`;
    try {
      await expect.poll(async () => (await fetch(`${url}/v1/jobs`).catch(() => undefined))?.status).toBe(200);
      expect(await (await fetch(url)).text()).toContain('/src/main.tsx');
      expect(await (await fetch(`${url}/src/main.tsx`)).text()).toContain('createRoot');
      // As the page sends it, from its own origin.
      const headers = { origin: url, 'content-type': 'application/json' };
      const wrong = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body: '{}' });
      // The request is at fault, not where it comes from.
      expect([400, 422]).toContain(wrong.status);
    } finally {
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
    }
    await expect(fetch(url)).rejects.toThrow();
  });
});
