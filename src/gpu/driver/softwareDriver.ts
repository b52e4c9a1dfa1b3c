/**
 * Mesa's software Vulkan driver (llvmpipe) in Plinth's own cache folder, without root and without touching the system.
 *
 * On Debian and Ubuntu, apt itself downloads the signed packages: it is pointed at a state and cache folder of its own
 * with an empty status file, so that it resolves the whole closure and never looks at or writes the system's package
 * data. The packages are unpacked, not installed. glibc and the compiler's runtime are left out: the ones that Node
 * already runs on are used.
 *
 * Before use, the libraries are loaded into the process by absolute path in dependency order. The dynamic linker
 * matches later requests by soname, so neither LD_LIBRARY_PATH nor a second process is needed.
 */
import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import koffi from 'koffi';
import { PlinthError } from '../../core/errors.js';
import { manualCommand, systemName } from '../adapter/system.js';
import { copyAptSources } from './aptSources.js';
import { neededLibraries } from './elf.js';

const run = promisify(execFile);

interface DriverManifest {
  /** Package version of mesa-vulkan-drivers. */
  version: string;
  /** Library files relative to the driver's folder, dependencies first. */
  libraries: string[];
  /** Size in bytes of each of them. */
  sizes?: number[];
  /** The ICD file relative to the driver's folder. */
  icd: string;
}

/**
 * The folder for things that can be fetched again: `PLINTH_CACHE`, else `$XDG_CACHE_HOME/plinth`, else
 * `~/.cache/plinth`.
 */
export function cacheFolder(): string {
  return process.env.PLINTH_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'plinth');
}

const driverFolder = (): string => join(cacheFolder(), `vulkan-software-${process.arch}`);

/** The installed driver's manifest, if there is one and its libraries are whole. */
export function installedSoftwareDriver(): DriverManifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(driverFolder(), 'driver.json'), 'utf8')) as DriverManifest;
    const whole =
      existsSync(join(driverFolder(), manifest.icd)) &&
      manifest.libraries.length > 0 &&
      manifest.libraries.every((file, i) => {
        const { size } = statSync(join(driverFolder(), file));
        return size === (manifest.sizes?.[i] ?? size);
      });
    return whole ? manifest : undefined;
  } catch {
    return undefined;
  }
}

let preloaded = false;
/** Keeps the library handles alive. */
const handles: unknown[] = [];

/** Loads the installed driver into this process. False where there is none or it does not load. */
export function preloadSoftwareDriver(): boolean {
  if (preloaded) return true;
  const manifest = installedSoftwareDriver();
  if (!manifest) return false;
  try {
    for (const library of manifest.libraries) handles.push(koffi.load(join(driverFolder(), library)));
  } catch {
    return false;
  }
  const icd = join(driverFolder(), manifest.icd);
  process.env.VK_ICD_FILENAMES ??= icd;
  process.env.VK_DRIVER_FILES ??= icd;
  preloaded = true;
  return true;
}

const LEFT_OUT = /^(libc6|libc-bin|libgcc-s1|gcc-\d+-base|libstdc\+\+6|libcrypt1)_/;

/** How the driver is installed. */
export interface InstallOptions {
  /** Install anew although a driver that looks whole is there. Default false. */
  force?: boolean;
  /** Root of the file system that apt, dpkg and their settings are taken from, for tests. Default `/`. */
  root?: string;
}

/**
 * Downloads and unpacks the driver beside its final place, then renames it, so that there is never half a driver.
 * Several processes may do so at once. Returns its version.
 * @throws `GPU_DRIVER_SETUP_FAILED` with the command for this system where it cannot be done here.
 */
export async function installSoftwareDriver(
  log: (line: string) => void = () => {},
  options: InstallOptions = {},
): Promise<string> {
  const { force = false, root = '/' } = options;
  const existing = installedSoftwareDriver();
  if (existing && !force) return existing.version;
  if (
    process.platform !== 'linux' ||
    !existsSync(join(root, 'usr/bin/apt-get')) ||
    !existsSync(join(root, 'usr/bin/dpkg-deb'))
  ) {
    throw new PlinthError('GPU_DRIVER_SETUP_FAILED', {
      found: `This system (${process.platform}, ${systemName(root)}) has no apt to fetch the driver with`,
      remedy: manualCommand(root),
    });
  }
  let work: string | undefined;
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    removeAbandoned();
    work = mkdtempSync(join(cacheFolder(), 'driver-'));
    const version = await download(work, log, root);
    const staged = await unpack(work, version, root);
    const other = installedSoftwareDriver();
    if (other && !force) return other.version; // another process was faster
    try {
      if (existsSync(driverFolder())) renameSync(driverFolder(), join(work, 'replaced'));
      renameSync(staged, driverFolder());
    } catch (error) {
      const faster = installedSoftwareDriver();
      if (!faster) throw error;
      return faster.version;
    }
    log(`software Vulkan driver: Mesa ${version}`);
    return version;
  } catch (error) {
    if (error instanceof PlinthError) throw error;
    const stderr = (error as { stderr?: string }).stderr;
    throw new PlinthError('GPU_DRIVER_SETUP_FAILED', {
      found:
        'Fetching the software Vulkan driver failed: ' +
        `${(stderr || (error as Error).message).trim().split('\n').slice(-3).join(' ')}`,
      remedy: `Check the network and the package sources, or install it system-wide. ${manualCommand(root)}`,
      cause: error,
    });
  } finally {
    if (work) rmSync(work, { recursive: true, force: true });
  }
}

/** Removes what killed processes left behind: work folders untouched for an hour. */
function removeAbandoned(): void {
  for (const name of readdirSync(cacheFolder())) {
    const folder = join(cacheFolder(), name);
    if (/^driver-\w{6}$/.test(name) && Date.now() - statSync(folder).mtimeMs > 3_600_000)
      rmSync(folder, { recursive: true, force: true });
  }
}

async function download(work: string, log: (line: string) => void, root: string): Promise<string> {
  const aptGet = join(root, 'usr/bin/apt-get');
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, folder), { recursive: true });
  closeSync(openSync(join(work, 'status'), 'w'));
  const backports = copyAptSources(join(work, 'sources'), root);
  const options = [
    ['Dir::State', join(work, 'state')],
    ['Dir::State::status', join(work, 'status')],
    ['Dir::Cache', join(work, 'cache')],
    ['Dir::Etc::sourcelist', '/dev/null'],
    ['Dir::Etc::sourceparts', join(work, 'sources')],
    ['Dir::Log', join(work, 'cache')],
    ['APT::Sandbox::User', ''],
    ['APT::Install-Recommends', 'false'],
    ['APT::Get::List-Cleanup', 'false'],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '3'],
    ['Debug::NoLocking', 'true'],
  ].flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const settings = {
    maxBuffer: 1 << 26,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 300_000,
  };
  log('fetching package lists …');
  await run(aptGet, [...options, '-q', 'update'], settings);
  log('fetching the software Vulkan driver (Mesa, about 60 MB) …');
  const release = backports ? ['-t', backports] : [];
  await run(
    aptGet,
    [...options, '-q', '-y', ...release, '--download-only', 'install', 'mesa-vulkan-drivers', 'libvulkan1'],
    settings,
  );
  const mesa = readdirSync(join(work, 'cache/archives')).find((f) => f.startsWith('mesa-vulkan-drivers_'));
  const version = decodeURIComponent(mesa?.split('_')[1] ?? '');
  const major = Number(/^(?:\d+:)?(\d+)/.exec(version)?.[1] ?? 0);
  if (major < 24) {
    throw new PlinthError('GPU_DRIVER_SETUP_FAILED', {
      found: `The package sources of ${systemName(root)} offer Mesa ${version || 'not at all'}`,
      expected: 'Mesa 24 or newer',
      remedy: manualCommand(root),
    });
  }
  return version;
}

async function unpack(work: string, version: string, root: string): Promise<string> {
  const staged = join(work, 'driver');
  mkdirSync(staged);
  for (const file of readdirSync(join(work, 'cache/archives'))) {
    if (file.endsWith('.deb') && !LEFT_OUT.test(file))
      await run(join(root, 'usr/bin/dpkg-deb'), ['-x', join(work, 'cache/archives', file), staged]);
  }
  const files = new Map<string, string>(); // soname → path relative to the driver's folder
  for (const base of ['usr/lib', 'lib']) {
    if (!existsSync(join(staged, base))) continue;
    for (const file of readdirSync(join(staged, base), { recursive: true }).map(String)) {
      const name = file.split('/').pop()!;
      if (/\.so(\.|$)/.test(name) && !files.has(name)) files.set(name, join(base, file));
    }
  }
  const libraries: string[] = [];
  const visit = (name: string): void => {
    const path = files.get(name);
    if (!path || libraries.includes(path)) return;
    for (const needed of neededLibraries(readFileSync(realpathSync(join(staged, path))))) visit(needed);
    libraries.push(path);
  };
  visit('libvulkan.so.1');
  visit('libvulkan_lvp.so');
  const library = files.get('libvulkan_lvp.so');
  if (!library || !files.has('libvulkan.so.1')) {
    throw new PlinthError('GPU_DRIVER_SETUP_FAILED', {
      found: 'The downloaded packages hold no libvulkan_lvp.so',
      remedy: manualCommand(root),
    });
  }
  const icd = {
    file_format_version: '1.0.1',
    ICD: { api_version: '1.3.0', library_path: join(driverFolder(), library) },
  };
  writeFileSync(join(staged, 'lvp_icd.json'), JSON.stringify(icd, undefined, 2));
  const sizes = libraries.map((file) => statSync(join(staged, file)).size);
  const manifest: DriverManifest = { version, libraries, sizes, icd: 'lvp_icd.json' };
  writeFileSync(join(staged, 'driver.json'), JSON.stringify(manifest, undefined, 2));
  return staged;
}
