/** What kind of system this is, as far as GPUs need to know. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, freemem, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** Fields of `/etc/os-release`; empty where there is none. */
export function readRelease(root = '/'): Record<string, string> {
  const text = readText(join(root, 'etc/os-release')) ?? '';
  const entries = text
    .split('\n')
    .map((l) => /^(\w+)="?(.*?)"?$/.exec(l))
    .filter((m) => m !== null);
  return Object.fromEntries(entries.map((m) => [m[1], m[2]]));
}

export const systemName = (root = '/'): string => readRelease(root).PRETTY_NAME ?? process.platform;

/** The command that installs the software Vulkan driver system-wide, for people to run themselves. */
export function manualCommand(root = '/'): string {
  const family = `${readRelease(root).ID ?? ''} ${readRelease(root).ID_LIKE ?? ''}`;
  if (/fedora|rhel|centos/.test(family)) return 'Run: sudo dnf install mesa-vulkan-drivers vulkan-loader';
  if (/suse/.test(family)) return 'Run: sudo zypper install libvulkan_lvp libvulkan1';
  if (/arch/.test(family)) return 'Run: sudo pacman -S vulkan-swrast vulkan-icd-loader';
  if (/alpine/.test(family))
    return 'Alpine uses musl, which the WebGPU runtime does not support: use a glibc system with glibc 2.34 or newer';
  if (/debian|ubuntu/.test(family))
    return 'Run: sudo apt-get install mesa-vulkan-drivers libvulkan1 (on Debian 12 with -t bookworm-backports)';
  return 'Install Mesa 24 or newer with its Vulkan software driver (lavapipe) and the Vulkan loader from your system';
}

/** A GPU on the PCI bus, whether or not a driver makes it usable. */
export interface PciGpu {
  /** `nvidia`, `amd`, `intel` or the PCI vendor number. */
  vendor: string;
  /** Such as `0000:01:00.0`. */
  address: string;
}

/** What the machine is, as far as its drivers depend on it. */
export interface MachineFacts {
  platform: string;
  /** Such as "Debian GNU/Linux 13 (trixie)". */
  system: string;
  kernel: string;
  architecture: string;
  cpu: string;
  cores: number;
  /** Bytes. */
  memory: number;
  freeMemory: number;
  node: string;
  /** Version of glibc; absent on other systems. */
  glibc?: string;
  container: boolean;
  /** Display controllers on the PCI bus of a Linux system. */
  pciGpus: PciGpu[];
  /** Version of NVIDIA's kernel driver, where it is loaded. */
  nvidiaDriver?: string;
  /** NVIDIA's Vulkan driver description is visible. */
  nvidiaVulkan: boolean;
  /** `/dev/nvidia0` is there. */
  nvidiaDevice: boolean;
  /** `/dev/dri/renderD…` nodes. */
  renderNodes: string[];
}

const PCI_VENDORS: Record<string, string> = { '0x10de': 'nvidia', '0x1002': 'amd', '0x8086': 'intel' };

/** Collects the facts. `root` is the root of the file system, for tests. */
export function machineFacts(root = '/'): MachineFacts {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const at = (path: string): string => join(root, path);
  const icd = ['usr/share/vulkan/icd.d', 'etc/vulkan/icd.d'].flatMap((folder) => list(at(folder)));
  return {
    platform: process.platform,
    system: systemName(root),
    kernel: release(),
    architecture: arch(),
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    freeMemory: freemem(),
    node: process.versions.node,
    glibc: report?.header?.glibcVersionRuntime,
    container:
      existsSync(at('.dockerenv')) ||
      existsSync(at('run/.containerenv')) ||
      /docker|kubepods|containerd|libpod/.test(readText(at('proc/1/cgroup')) ?? ''),
    pciGpus: list(at('sys/bus/pci/devices')).flatMap((address) => {
      const folder = at(`sys/bus/pci/devices/${address}`);
      if (!readText(join(folder, 'class'))?.startsWith('0x03')) return [];
      const vendor = readText(join(folder, 'vendor'))?.trim() ?? 'unknown';
      return [{ vendor: PCI_VENDORS[vendor] ?? vendor, address }];
    }),
    nvidiaDriver: /Kernel Module.*?\s(\d+\.\d+(\.\d+)?)\s/.exec(readText(at('proc/driver/nvidia/version')) ?? '')?.[1],
    nvidiaVulkan: icd.some((file) => /nvidia/.test(file)),
    nvidiaDevice: existsSync(at('dev/nvidia0')),
    renderNodes: list(at('dev/dri')).filter((f) => f.startsWith('renderD')),
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
