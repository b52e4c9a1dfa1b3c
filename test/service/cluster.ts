/**
 * The service on several machines, as `compose.scaled.yaml` describes it, started on this one: every process gets the
 * command and the environment that the file gives its container. What differs is what containers bring: names of hosts
 * become loopback ports, `/data` a folder of its own for each, and each listens on a port of its own. Jobs run in the
 * stand-in engine unless asked otherwise.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../command.js';
import { type ComposeService, readCompose, readEnvFile } from './compose.js';
import type { PrivatePostgres } from './postgres.js';
import { STAND_IN } from './testServer.js';

export interface Node {
  name: string;
  kind: 'api' | 'worker';
  url: string;
  process: ChildProcess;
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | string>;
}

export interface ClusterOptions {
  postgres: PrivatePostgres;
  /** Address of the S3-compatible storage. */
  storage: string;
  apis: number;
  workers: number;
  /** Starts `plinth`. Default: the command from its sources. The arguments `serve` or `worker` follow. */
  plinth?: string[];
  /** Beyond the compose file, for every process. */
  environment?: Record<string, string>;
  /** Run jobs in Plinth's own engine. */
  realEngine?: boolean;
  log?: (line: string) => void;
}

export class Cluster {
  readonly nodes = new Map<string, Node>();
  key = '';
  private constructor(
    private readonly services: Record<string, ComposeService>,
    private readonly places: { database: string; storage: string; folder: string },
    private options: ClusterOptions,
  ) {}

  /**
   * Makes the bucket as the file's own service does it, then starts APIs and workers, and makes a key as the documents
   * say.
   */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const variables = {
      ...readEnvFile(join(ROOT, 'deploy/scaled.env.example')),
      POSTGRES_PASSWORD: 'a-password',
      S3_SECRET_KEY: 'a-secret-key-for-tests',
    };
    const services = readCompose(join(ROOT, 'compose.scaled.yaml'), variables);
    const places = {
      database: new URL(await options.postgres.createDatabase()).pathname,
      storage: options.storage,
      folder: await mkdtemp(join(tmpdir(), 'plinth-cluster-')),
    };
    const cluster = new Cluster(services, places, options);
    await cluster.makeBucket();
    for (let i = 0; i < options.apis; i++) await cluster.up(`api-${i + 1}`);
    cluster.key = (await cluster.run('api', ['keys', 'create', '--name', 'admin', '--scope', 'admin'])).trim();
    await Promise.all(Array.from({ length: options.workers }, (_, i) => cluster.up(`worker-${i + 1}`)));
    return cluster;
  }

  get apis(): Node[] {
    return [...this.nodes.values()].filter((n) => n.kind === 'api');
  }

  /** Starts a process by its name, such as `worker-2`, and waits until it answers. */
  async up(name: string): Promise<Node> {
    const kind = name.startsWith('api') ? 'api' : 'worker';
    const port = await freePort();
    const service = this.services[kind];
    const child = this.spawn(service.command ?? ['serve'], name, kind, port);
    const ended = new Promise<number | string>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'nothing')),
    );
    let over: number | string | undefined;
    void ended.then((code) => {
      over = code;
    });
    const node: Node = { name, kind, url: `http://127.0.0.1:${port}`, process: child, ended };
    for (;;) {
      if (over !== undefined) throw new Error(`${name} ended with ${over} while it started`);
      const live = await fetch(`${node.url}/health/live`, { signal: AbortSignal.timeout(5_000) }).catch(
        () => undefined,
      );
      if (live?.ok) break;
      await sleep(100);
    }
    this.nodes.set(name, node);
    return node;
  }

  /** Ends a process with a signal. Answers how it ended. */
  async down(name: string, signal: NodeJS.Signals): Promise<number | string> {
    const node = this.nodes.get(name)!;
    this.nodes.delete(name);
    node.process.kill(signal);
    return await node.ended;
  }

  /** Has workers that start from now on run Plinth's own engine. */
  useRealEngine(): void {
    this.options = { ...this.options, realEngine: true };
  }

  async ask(path: string, init: RequestInit = {}, node = this.apis[0]): Promise<Response> {
    const headers = { authorization: `Bearer ${this.key}`, ...init.headers };
    return await fetch(node.url + path, { signal: AbortSignal.timeout(60_000), ...init, headers });
  }

  async stop(): Promise<Record<string, number | string>> {
    const names = [...this.nodes.keys()];
    const codes = await Promise.all(names.map(async (name) => [name, await this.down(name, 'SIGTERM')] as const));
    await rm(this.places.folder, { recursive: true, force: true });
    return Object.fromEntries(codes);
  }

  /** Names of hosts in the file are those of its services. */
  private environmentOf(kind: string): Record<string, string> {
    const { host } = new URL(this.options.postgres.address);
    const entries = Object.entries(this.services[kind].environment).map(([name, value]) => [
      name,
      String(value)
        .replace('@database:5432/plinth', `@${host}${this.places.database}`)
        .replace('http://storage:8333', this.places.storage),
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  private spawn(command: string[], name: string, kind: 'api' | 'worker', port: number): ChildProcess {
    const { PATH, HOME, PLINTH_CACHE } = process.env;
    const base = Object.fromEntries(Object.entries({ PATH, HOME, PLINTH_CACHE }).filter(([, v]) => v !== undefined));
    const own: Record<string, string> = {
      PLINTH_HOST: '127.0.0.1',
      PLINTH_PORT: String(port),
      PLINTH_DATA: join(this.places.folder, name),
      PLINTH_LOG_LEVEL: 'error',
    };
    if (kind === 'worker') own.PLINTH_WORKER_HEALTH_PORT = String(port);
    if (!this.options.realEngine) own.PLINTH_WORKER_ENGINE = STAND_IN;
    const plinth = this.options.plinth ?? ['--import', 'tsx', join(ROOT, 'src/cli/main.ts')];
    const child = spawn(process.execPath, [...plinth, ...command], {
      cwd: ROOT,
      env: { ...base, ...this.environmentOf(kind), ...own, ...this.options.environment } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.trim().split('\n')) this.options.log?.(`${name}: ${line}`);
      });
    return child;
  }

  /**
   * Runs a command of `plinth` in a service's environment, as `docker compose run` does. Answers its standard output.
   */
  async run(kind: 'api', command: string[]): Promise<string> {
    const own = ['--import', 'tsx', join(ROOT, 'src/cli/main.ts')];
    const child = spawn(process.execPath, [...own, ...command], {
      cwd: ROOT,
      env: { ...process.env, ...this.environmentOf(kind), PLINTH_DATA: join(this.places.folder, 'run') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return await outputOf(child, command.join(' '));
  }

  private async makeBucket(): Promise<void> {
    const { entrypoint = [], command = [] } = this.services.bucket;
    await mkdir(this.places.folder, { recursive: true });
    // `node` there is this one; packages are found from the working folder, which is /app there.
    const child = spawn(process.execPath, [...entrypoint.slice(1), ...command], {
      cwd: ROOT,
      env: { ...process.env, ...this.environmentOf('bucket') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await outputOf(child, 'bucket');
  }
}

async function outputOf(child: ChildProcess, what: string): Promise<string> {
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (d: string) => {
    text += d;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${what} ended with ${code}`);
  return text;
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
