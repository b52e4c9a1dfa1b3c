/**
 * Stops a process before the n-th write of a job's finish, so that a test can kill whom it likes at exactly that
 * moment. Server and worker count together, since the finish passes from one to the other. Loaded where `FAULT_FOLDER`
 * is set; the folder holds
 * - `at`: the number of the write to stop before, or a part of its description; absent or empty = none,
 * - `writes`: a line for every write that began, which are the count,
 * - `hit`: made when the write was reached,
 * - `go`: made by the test to let the process go on, where it still lives.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import pg from 'pg';

const folder = process.env.FAULT_FOLDER!;
const cell = new Int32Array(new SharedArrayBuffer(4));

function point(what: string): void {
  appendFileSync(join(folder, 'writes'), `${what.replaceAll(/\s+/g, ' ').slice(0, 120)}\n`);
  const at = existsSync(join(folder, 'at')) ? readFileSync(join(folder, 'at'), 'utf8') : '';
  const count = readFileSync(join(folder, 'writes'), 'utf8').split('\n').length - 1;
  if (
    existsSync(join(folder, 'hit')) ||
    at === '' ||
    !(String(count) === at || (!/^\d+$/.test(at) && what.includes(at)))
  )
    return;
  writeFileSync(join(folder, 'hit'), what);
  while (!existsSync(join(folder, 'go'))) Atomics.wait(cell, 0, 0, 10);
}

/** Paths and keys that belong to the finish; logs, previews and inputs are written all the time. */
const FINISH =
  /\/(results|pending)(\/|$)|\/output(\/|$)|\.result\.json|comparison\.json|\/work\/[0-9a-f-]{36}$|\/resume(\/|$)/;

/** Without what differs from run to run. */
const plain = (text: string): string =>
  text
    .replace(/^.*\/(store|work|bucket)\//, '$1/')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll(/partial-\d+/g, 'partial');

const files = fsPromises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
for (const name of ['writeFile', 'rename', 'rm', 'mkdir', 'link', 'copyFile', 'cp', 'utimes']) {
  const original = files[name];
  files[name] = (...args) => {
    const paths = args.filter((a) => typeof a === 'string').slice(0, 2);
    // A finished result is renamed from its partial folder: there the finish begins.
    if (paths.some((path) => FINISH.test(path)) && !/\.partial-\d+(\/|$)/.test(paths.at(-1)!))
      point(`${name} ${paths.map(plain).join(' → ')}`);
    return original(...args);
  };
}

const { request } = http;
http.request = ((...args: Parameters<typeof request>) => {
  const [options] = args as unknown as [http.RequestOptions];
  const path = decodeURIComponent(String(options.path ?? ''));
  if (options.method === 'PUT' && FINISH.test(path.split('?')[0])) point(`${options.method} ${plain(path)}`);
  if (options.method === 'POST' && /[?&]delete/.test(path)) point('POST delete');
  return request(...args);
}) as typeof request;
syncBuiltinESMExports();

/** Statements from the one that ends a job to the end of its transaction. */
function statements(): (text: unknown) => void {
  let finishing = false;
  return (text) => {
    if (typeof text !== 'string') return;
    if (/UPDATE plinth\.jobs SET state = \$3, finished_at/.test(text)) finishing = true;
    if (finishing) point(text.trim().replaceAll(/\s+/g, ' ').slice(0, 40));
    if (/^(COMMIT|ROLLBACK)/.test(text)) finishing = false;
  };
}

const clients = new WeakMap<object, (text: unknown) => void>();
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  if (!clients.has(this)) clients.set(this, statements());
  const [first] = args as [string | { text?: string }];
  clients.get(this)!(typeof first === 'string' ? first : first?.text);
  return (query as (...all: unknown[]) => unknown).apply(this, args);
} as typeof query;

const embedded = statements();
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof postMessage>) {
  embedded((args[0] as { text?: string }).text);
  return postMessage.apply(this, args);
};
