import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manualCommand } from '../adapter/system.js';
import { copyAptSources } from './aptSources.js';
import { neededLibraries } from './elf.js';
import { installedSoftwareDriver, installSoftwareDriver } from './softwareDriver.js';

let base = '';
let root = '';
let cache = '';
let before: string | undefined;

/** Stand-ins for apt-get, which "downloads" empty packages, and dpkg-deb, which "unpacks" compiled libraries. */
const APT = `#!/bin/sh
for word in "$@"; do case "$word" in Dir::Cache=*) cache="\${word#Dir::Cache=}" ;; Dir::Etc::sourceparts=*) parts="\${word#*=}" ;; esac; done
echo "$@" >> "$FAKE_LOG"
[ -n "$FAKE_FAIL" ] && { echo "E: Failed to fetch: Connection reset" >&2; exit 100; }
case "$*" in *install*)
  touch "$cache/archives/mesa-vulkan-drivers_\${FAKE_MESA:-25.0.7-2}_amd64.deb" "$cache/archives/libvulkan1_1.4_amd64.deb" "$cache/archives/libc6_2.41_amd64.deb"
  [ -n "$FAKE_DELAY" ] && sleep "$FAKE_DELAY"
esac
exit 0
`;
const DPKG = `#!/bin/sh
to="$3/usr/lib/x86_64-linux-gnu"; mkdir -p "$to"
case "$2" in
  *mesa*) cp "$FAKE_LIBRARIES/libvulkan_lvp.so" "$FAKE_LIBRARIES/libhelper.so.1" "$to" ;;
  *libvulkan1*) cp "$FAKE_LIBRARIES/libvulkan.so.1" "$to" ;;
  *libc6*) touch "$to/libc.so.6" ;;
esac
`;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'plinth-driver-'));
  root = join(base, 'root');
  const libraries = join(base, 'libraries');
  for (const folder of ['usr/bin', 'etc/apt/sources.list.d']) mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(libraries);
  for (const [name, text] of [
    ['apt-get', APT],
    ['dpkg-deb', DPKG],
  ]) {
    writeFileSync(join(root, 'usr/bin', name), text);
    chmodSync(join(root, 'usr/bin', name), 0o755);
  }
  writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_CODENAME=trixie\nPRETTY_NAME="Debian 13"\n');
  const source = join(base, 'empty.c');
  writeFileSync(source, 'int answer(void) { return 42; }\n');
  const link = (name: string, ...rest: string[]): Buffer =>
    execFileSync('cc', ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', join(libraries, name), source, ...rest]);
  link('libhelper.so.1');
  link('libvulkan.so.1');
  link('libvulkan_lvp.so', '-Wl,--no-as-needed', join(libraries, 'libhelper.so.1'));
  process.env.FAKE_LIBRARIES = libraries;
  process.env.FAKE_LOG = join(base, 'log');
  chmodSync(base, 0o755);
});
beforeEach(() => {
  before = process.env.PLINTH_CACHE;
  cache = mkdtempSync(join(base, 'cache-'));
  process.env.PLINTH_CACHE = cache;
  writeFileSync(process.env.FAKE_LOG!, '');
});
afterEach(() => {
  if (before === undefined) delete process.env.PLINTH_CACHE;
  else process.env.PLINTH_CACHE = before;
  for (const name of ['FAKE_FAIL', 'FAKE_DELAY', 'FAKE_MESA']) delete process.env[name];
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const install = (options = {}): Promise<string> => installSoftwareDriver(() => {}, { root, ...options });
const folder = (): string => join(cache, `vulkan-software-${process.arch}`);

/** Installs in a process of its own. */
function installElsewhere(options: { uid?: number; home?: string } = {}): ReturnType<typeof spawn> {
  const module = new URL('./softwareDriver.ts', import.meta.url).href;
  const script =
    `import { installSoftwareDriver } from '${module}'; console.log(await installSoftwareDriver(() => {}, { ` +
    `root: '${root}' }));`;
  return spawn(
    options.uid === undefined ? process.execPath : nodeForOthers(),
    ['--import', 'tsx', '--input-type=module', '-e', script],
    {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      env: { ...process.env, ...(options.home ? { HOME: options.home, TMPDIR: options.home } : {}) },
      uid: options.uid,
      gid: options.uid,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
}
const exitCode = (child: ReturnType<typeof spawn>): Promise<number | null> =>
  new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));

/** This Node where other users reach it too: it may lie in a folder of root's alone. */
function nodeForOthers(): string {
  const copy = join(base, 'node');
  if (!existsSync(copy)) cpSync(process.execPath, copy);
  return copy;
}

describe('installing the software driver', () => {
  it('unpacks it whole into the cache folder, libraries after what they need, without glibc', async () => {
    expect(await install()).toBe('25.0.7-2');
    const manifest = installedSoftwareDriver();
    expect(manifest?.version).toBe('25.0.7-2');
    expect(manifest?.libraries.map((l) => l.split('/').pop())).toEqual([
      'libvulkan.so.1',
      'libhelper.so.1',
      'libvulkan_lvp.so',
    ]);
    const icd = JSON.parse(readFileSync(join(folder(), 'lvp_icd.json'), 'utf8'));
    expect(existsSync(icd.ICD.library_path)).toBe(true);
    expect(icd.ICD.library_path.startsWith(folder())).toBe(true);
    expect(existsSync(join(folder(), 'usr/lib/x86_64-linux-gnu/libc.so.6'))).toBe(false);
    expect(readdirSync(cache)).toEqual([`vulkan-software-${process.arch}`]);
  });

  it("keeps apt in folders of its own and away from the system's package data", async () => {
    await install();
    for (const call of readFileSync(process.env.FAKE_LOG!, 'utf8').trim().split('\n')) {
      for (const key of ['Dir::State', 'Dir::State::status', 'Dir::Cache', 'Dir::Etc::sourceparts', 'Dir::Log'])
        expect(call).toContain(`${key}=${cache}/driver-`);
      expect(call).toContain('Dir::Etc::sourcelist=/dev/null');
      expect(call).not.toMatch(/allow-unauthenticated|AllowInsecure|trusted=yes/i);
    }
    expect(readFileSync(process.env.FAKE_LOG!, 'utf8')).toContain('--download-only install');
  });

  it('does nothing where it is there already, and replaces it by force', async () => {
    await install();
    writeFileSync(process.env.FAKE_LOG!, '');
    await install();
    expect(readFileSync(process.env.FAKE_LOG!, 'utf8')).toBe('');
    await install({ force: true });
    expect(readFileSync(process.env.FAKE_LOG!, 'utf8')).toContain('install');
    expect(installedSoftwareDriver()).toBeDefined();
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('replaces a damaged one: a library cut short or gone, a manifest that is no JSON', async () => {
    const library = (): string => join(folder(), installedSoftwareDriver()!.libraries[2]);
    for (const damage of [
      () => truncateSync(library(), 100),
      () => rmSync(library()),
      () => rmSync(join(folder(), 'lvp_icd.json')),
      () => writeFileSync(join(folder(), 'driver.json'), '{"version":'),
    ]) {
      await install();
      damage();
      expect(installedSoftwareDriver()).toBeUndefined();
      await install();
      expect(installedSoftwareDriver()).toBeDefined();
    }
  });

  it('that fails leaves nothing behind and says what to do', async () => {
    process.env.FAKE_FAIL = '1';
    await expect(install()).rejects.toMatchObject({
      code: 'GPU_DRIVER_SETUP_FAILED',
      found: expect.stringContaining('Connection reset'),
      remedy: expect.stringContaining('apt-get install mesa-vulkan-drivers'),
    });
    expect(readdirSync(cache)).toEqual([]);
  });

  it('refuses a Mesa that is too old', async () => {
    process.env.FAKE_MESA = '22.3.6-1';
    await expect(install()).rejects.toThrow(/Debian 13 offer Mesa 22\.3\.6-1.*Mesa 24 or newer/);
    expect(installedSoftwareDriver()).toBeUndefined();
  });

  it('that is killed half-way leaves no driver, and its remains are removed later', async () => {
    process.env.FAKE_DELAY = '1';
    const child = installElsewhere();
    await expect.poll(() => readFileSync(process.env.FAKE_LOG!, 'utf8'), { timeout: 30_000 }).toContain('install');
    child.kill('SIGKILL');
    await exitCode(child);
    expect(installedSoftwareDriver()).toBeUndefined();
    delete process.env.FAKE_DELAY;
    const remains = readdirSync(cache);
    expect(remains).toHaveLength(1);
    await install();
    expect(readdirSync(cache)).toContain(remains[0]); // it may be another process at work
    utimesSync(join(cache, remains[0]), 0, 0);
    await install({ force: true });
    expect(readdirSync(cache)).toEqual([`vulkan-software-${process.arch}`]);
  });

  it('may happen in several processes at once', async () => {
    process.env.FAKE_DELAY = '0.5';
    const children = [installElsewhere(), installElsewhere()];
    const codes = await Promise.all([...children.map(exitCode), install().then(() => 0), install().then(() => 0)]);
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(installedSoftwareDriver()?.version).toBe('25.0.7-2');
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it.runIf(process.getuid?.() === 0)('needs no root', async () => {
    chownSync(cache, 65534, 65534);
    chmodSync(process.env.FAKE_LOG!, 0o666);
    const child = installElsewhere({ uid: 65534, home: cache });
    expect(await exitCode(child)).toBe(0);
    expect(installedSoftwareDriver()).toBeDefined();
  });

  it('is left to the user where there is no apt', async () => {
    const elsewhere = mkdtempSync(join(base, 'fedora-'));
    mkdirSync(join(elsewhere, 'etc'));
    writeFileSync(join(elsewhere, 'etc/os-release'), 'ID=fedora\n');
    await expect(install({ root: elsewhere })).rejects.toMatchObject({
      code: 'GPU_DRIVER_SETUP_FAILED',
      remedy: 'Run: sudo dnf install mesa-vulkan-drivers vulkan-loader',
    });
    for (const [release, command] of [
      ['ID=opensuse-leap\nID_LIKE="suse opensuse"', 'zypper'],
      ['ID=manjaro\nID_LIKE=arch', 'pacman'],
      ['ID=alpine', 'glibc'],
      ['ID=linuxmint\nID_LIKE="ubuntu debian"', 'apt-get'],
      ['ID=plan9', 'lavapipe'],
    ]) {
      writeFileSync(join(elsewhere, 'etc/os-release'), `${release}\n`);
      expect(manualCommand(elsewhere)).toContain(command);
    }
  });
});

describe('package sources', () => {
  const copy = (release: string, files: Record<string, string>): { suite?: string; files: Record<string, string> } => {
    const system = mkdtempSync(join(base, 'system-'));
    mkdirSync(join(system, 'etc/apt/sources.list.d'), { recursive: true });
    writeFileSync(join(system, 'etc/os-release'), release);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(system, 'etc/apt', name), text);
    const to = join(system, 'copied');
    const suite = copyAptSources(to, system);
    return {
      suite,
      files: Object.fromEntries(readdirSync(to).map((f) => [f, readFileSync(join(to, f), 'utf8')])),
    };
  };
  const bookworm = 'ID=debian\nVERSION_CODENAME=bookworm\n';

  it('of Debian 12 get its backports from the same mirror with the same key, in the deb822 form with comments', () => {
    const text = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
    const result = copy(bookworm, { 'sources.list.d/debian.sources': text });
    expect(result.suite).toBe('bookworm-backports');
    expect(result.files['debian.sources']).toBe(text);
    expect(result.files['plinth-backports.sources']).toBe(`Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);
  });

  it('and in the one-line form, with options', () => {
    const result = copy(bookworm, {
      'sources.list':
        '# deb http://old bookworm main\ndeb [signed-by=/key.gpg] https://mirror.example/debian bookworm ' +
        'main contrib\n',
    });
    expect(result.files['plinth-backports.list']).toBe(
      'deb [signed-by=/key.gpg] https://mirror.example/debian bookworm-backports main\n',
    );
  });

  it('are left as they are where backports are there already, in other releases, and are not invented', () => {
    const has = copy(bookworm, {
      'sources.list': 'deb http://m bookworm main\ndeb http://m bookworm-backports main\n',
    });
    expect([has.suite, Object.keys(has.files)]).toEqual(['bookworm-backports', ['system.list']]);
    const trixie = copy('ID=debian\nVERSION_CODENAME=trixie\n', { 'sources.list': 'deb http://m trixie main\n' });
    expect([trixie.suite, Object.keys(trixie.files)]).toEqual([undefined, ['system.list']]);
    const commented = copy(bookworm, {
      'sources.list': '# deb http://m bookworm-backports main\ndeb http://m bookworm main\n',
    });
    expect(commented.files['plinth-backports.list']).toBe('deb http://m bookworm-backports main\n');
    expect(copy(bookworm, {}).suite).toBeUndefined();
  });

  it('leave out files that apt does not read', () => {
    const result = copy('ID=ubuntu\n', {
      'sources.list.d/a.list': 'deb http://m noble main\n',
      'sources.list.d/b.list.disabled': 'deb http://broken x y\n',
    });
    expect(Object.keys(result.files)).toEqual(['a.list']);
  });
});

describe('neededLibraries', () => {
  it('reads what a library needs from its ELF header', () => {
    const library = readFileSync(join(process.env.FAKE_LIBRARIES!, 'libvulkan_lvp.so'));
    expect(neededLibraries(library)).toContain('libhelper.so.1');
    expect(neededLibraries(readFileSync(process.execPath)).length).toBeGreaterThan(2);
  });

  it('finds nothing in what is no ELF file', () => {
    expect(neededLibraries(Buffer.from('#!/bin/sh\necho this is no library at all\n'))).toEqual([]);
    expect(neededLibraries(Buffer.alloc(100))).toEqual([]);
  });
});
