// Which Node runs Plinth. Written for any Node, since an old one has to be told.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

/** The oldest Node that Plinth and what it depends on run on; `engines` in package.json says the same. */
export const MINIMUM_NODE = '22.12.0';

/** The folder for what can be fetched again, as in `cacheFolder` of the product. */
export const cacheFolder = () =>
  process.env.PLINTH_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plinth');

const numbers = (version) => version.split('.').map(Number);
const order = (a, b) => numbers(a).reduce((found, n, i) => found || n - numbers(b)[i], 0);

export const isSupported = (version) => order(version, MINIMUM_NODE) >= 0;

/** The folder in the cache that holds one release of Node. */
export const nodeFolder = (version) => join(cacheFolder(), `node-${version}-${process.platform}-${process.arch}`);
/** The program in such a folder. */
export const nodeProgram = (folder) => join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** The newest Node in the cache that Plinth runs on, if the set-up has put one there. */
export function cachedNode() {
  if (!existsSync(cacheFolder())) return undefined;
  return readdirSync(cacheFolder())
    .map((name) => /^node-(\d+\.\d+\.\d+)-/.exec(name)?.[1])
    .filter((version) => version && isSupported(version) && existsSync(nodeProgram(nodeFolder(version))))
    .sort(order)
    .map((version) => nodeProgram(nodeFolder(version)))
    .pop();
}

/** Runs another Node in place of this process: with its streams, its signals and its exit code. */
export function goOnWith(node, args) {
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // A terminal sends Ctrl-C to both by itself.
  const terminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`plinth: ${node} cannot be started: ${error.message}`);
    process.exit(3);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** In a process that `goOnWith` started: ends it when the one that started it is gone. */
export function endWithStarter() {
  if (!process.connected) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
