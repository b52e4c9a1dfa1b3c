/** A private PostgreSQL cluster on a loopback port, where the server's programs are installed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface PrivatePostgres {
  /** Address of its administrative database. */
  readonly address: string;
  /** Makes an empty database and answers its address. */
  createDatabase(): Promise<string>;
  /** Ends it as a power failure does. */
  crash(): Promise<void>;
  /** Stops every process of it where it stands, or lets them go on. */
  freeze(frozen: boolean): void;
  /** Starts it again after `crash`, on the same port. */
  revive(): Promise<void>;
  /** Ends it as a power failure does, and starts it again on the same port after `pauseMs`. */
  restart(pauseMs?: number): Promise<void>;
  /** Seconds of processor time that it has taken since its last start. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Folder of `initdb` and `postgres`; absent where PostgreSQL is not installed. */
export function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const candidates = existsSync(root)
    ? readdirSync(root)
        .sort((a, b) => Number(b) - Number(a))
        .map((v) => join(root, v, 'bin'))
    : [];
  for (const folder of [...candidates, ...(process.env.PATH ?? '').split(':')]) {
    if (existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) return folder;
  }
  return undefined;
}

/** PostgreSQL refuses to run as root; then it runs as this user. */
function otherUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user.
    }
  }
  return undefined;
}

export async function startPostgres(settings: { fsync?: boolean } = {}): Promise<PrivatePostgres> {
  const programs = postgresPrograms();
  if (!programs) throw new Error('PostgreSQL is not installed');
  const user = otherUser();
  const folder = mkdtempSync(join(tmpdir(), 'plinth-postgres-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  if (user) for (const path of [folder, data]) chownSync(path, user.uid, user.gid);
  const options = { ...user, cwd: folder, stdio: 'ignore' as const };
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'plinth', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    options,
  );
  const port = await freePort();
  const fsync = `fsync=${settings.fsync ? 'on' : 'off'}`;
  const start = (): ChildProcess =>
    spawn(
      join(programs, 'postgres'),
      ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', fsync, '-c', 'max_connections=200'],
      options,
    );
  let server = start();
  const admin = `postgres://plinth@127.0.0.1:${port}/postgres`;
  await answering(admin, server);
  const crash = async (): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGQUIT');
    await ended;
  };
  const revive = async (): Promise<void> => {
    server = start();
    await answering(admin, server);
  };
  let count = 0;
  return {
    address: admin,
    crash,
    freeze(frozen) {
      const children = execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' })
        .trim()
        .split('\n');
      for (const pid of [server.pid!, ...children.map(Number)]) process.kill(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    revive,
    async restart(pauseMs = 0) {
      await crash();
      await sleep(pauseMs);
      await revive();
    },
    cpuSeconds: () => familySeconds(server.pid!),
    async createDatabase() {
      const name = `test_${++count}`;
      await run(admin, `CREATE DATABASE ${name}`);
      return `postgres://plinth@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      if (server.exitCode === null && server.signalCode === null) await crash();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Processor time of a process, of its children, and of those that have ended. */
function familySeconds(pid: number): number {
  const fields = (id: string): string[] => {
    try {
      const text = readFileSync(`/proc/${id}/stat`, 'utf8');
      return text.slice(text.lastIndexOf(')') + 2).split(' ');
    } catch {
      return [];
    }
  };
  const ids = readdirSync('/proc').filter(
    (id) => /^\d+$/.test(id) && (id === String(pid) || fields(id)[1] === String(pid)),
  );
  // utime and stime, and for the parent those of its ended children.
  const ticks = ids.flatMap((id) => fields(id).slice(11, id === String(pid) ? 15 : 13)).map(Number);
  return ticks.reduce((sum, t) => sum + t, 0) / 100;
}

async function answering(url: string, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (server.exitCode !== null) throw new Error(`postgres ended with code ${server.exitCode}`);
    try {
      await run(url, 'SELECT 1');
      return;
    } catch {
      await sleep(100);
    }
  }
  server.kill('SIGKILL');
  throw new Error('postgres did not answer');
}

async function run(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
