import { anyOf, option, type Remedy, step } from '../../core/remedy.js';
import { type MachineFacts, manualCommand } from '../adapter/system.js';
import type { AdapterFacts } from '../runtime/adapterFacts.js';
import { LATE_REMEDY, type SelfTestReport } from '../selfTest/selfTest.js';

/** Something that is wrong with the machine or could be better, and what to do about it. */
export interface Finding {
  /** Stable name, such as `nvidia-container-capabilities`. */
  code: string;
  /** `error`: Plinth cannot work; `warning`: it works, slower or at a risk; `note`: good to know. */
  severity: 'error' | 'warning' | 'note';
  message: string;
  /** What to do, with the exact command where there is one. */
  remedy?: Remedy;
}

export interface FindingInput {
  machine: MachineFacts;
  adapters: readonly AdapterFacts[];
  /** Of the adapter that would be used. */
  selfTest?: SelfTestReport;
  /** Why no device could be opened. */
  openError?: string;
}

const MINIMUM_MESA = 24;
const GIB = 2 ** 30;

/** The Mesa version in an adapter's driver description, such as `25.0.7`. */
export function mesaVersion(adapter: AdapterFacts): string | undefined {
  return /Mesa (\d+(\.\d+)*)/.exec(adapter.description)?.[1];
}

/** Judges the facts. Errors come first. */
export function findings(input: FindingInput): Finding[] {
  const { machine, adapters, selfTest, openError } = input;
  const result = [
    ...platformFindings(machine),
    ...nvidiaFindings(machine, adapters),
    ...renderFindings(machine, adapters),
  ];
  if (adapters.length === 0) {
    result.push({
      code: 'no-adapter',
      severity: 'error',
      message: 'No WebGPU adapter answers',
      remedy:
        machine.platform === 'linux'
          ? 'Run: plinth doctor --fix (a software driver without root, on Debian and Ubuntu). System-wide: ' +
            `${manualCommand().replace(/^Run: /, '')}`
          : 'Update the graphics driver and the system; a remote session may hide the GPU',
    });
  }
  for (const adapter of adapters) {
    const mesa = mesaVersion(adapter);
    if (mesa && Number.parseInt(mesa, 10) < MINIMUM_MESA) {
      result.push({
        code: 'mesa-too-old',
        severity: 'error',
        message: `${adapter.device} runs on Mesa ${mesa}; Plinth needs Mesa ${MINIMUM_MESA} or newer`,
        remedy: `Run: plinth doctor --fix, or update Mesa. ${manualCommand()}`,
      });
    }
  }
  if (openError) {
    result.push({
      code: 'no-device',
      severity: 'error',
      message: openError,
      remedy: anyOf(step`update the driver`, step`choose another adapter with ${option('adapter')}`),
    });
  }
  for (const check of selfTest?.checks ?? []) {
    if (check.ok) continue;
    if (check.late) {
      result.push({
        code: 'self-test-late',
        severity: 'error',
        message: `${selfTest?.device} did not finish the self-test "${check.name}" in time: ${check.message}`,
        remedy: LATE_REMEDY,
      });
      continue;
    }
    result.push({
      code: `self-test-${check.name}`,
      severity: 'error',
      message: `${selfTest?.device} fails the self-test "${check.name}": ${check.message}`,
      remedy: anyOf(
        step`update the driver`,
        step`choose another adapter with ${option('adapter')}; if it persists, the GPU or its memory is broken`,
      ),
    });
  }
  if (adapters.length > 0 && adapters.every((a) => a.kind === 'software') && !result.some((f) => f.code !== 'memory')) {
    result.push({
      code: 'software-only',
      severity: 'note',
      message: `Plinth runs on the CPU here (${adapters[0].device}): everything works, many times slower than on a GPU`,
    });
  }
  const rank = { error: 0, warning: 1, note: 2 };
  return result.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

function platformFindings(machine: MachineFacts): Finding[] {
  const result: Finding[] = [];
  const [major, minor] = machine.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    result.push({
      code: 'node-too-old',
      severity: 'error',
      message: `Node ${machine.node} is older than 20.19`,
      remedy: 'Install a current Node from nodejs.org or your package manager',
    });
  }
  if (machine.platform === 'linux') {
    const [glibcMajor, glibcMinor] = (machine.glibc ?? '').split('.').map(Number);
    if (!machine.glibc || glibcMajor < 2 || (glibcMajor === 2 && glibcMinor < 34)) {
      result.push({
        code: 'glibc',
        severity: 'error',
        message: machine.glibc ? `glibc ${machine.glibc} is older than 2.34` : 'This system has no glibc',
        remedy: 'Use Debian 12, Ubuntu 22.04, Fedora 35 or newer, or the container image',
      });
    }
  }
  if (machine.memory < 4 * GIB) {
    result.push({
      code: 'memory',
      severity: 'warning',
      message: `The machine has ${(machine.memory / GIB).toFixed(1)} GiB of memory; reconstructions may need up to 2 GiB`,
      remedy: 'Use the preset "draft", and close other programs',
    });
  }
  return result;
}

function nvidiaFindings(machine: MachineFacts, adapters: readonly AdapterFacts[]): Finding[] {
  const present = machine.nvidiaDevice || machine.nvidiaDriver || machine.pciGpus.some((g) => g.vendor === 'nvidia');
  if (!present || adapters.some((a) => a.vendor === 'nvidia')) return [];
  if (!machine.nvidiaDriver) {
    return [
      {
        code: 'nvidia-driver-missing',
        severity: 'warning',
        message: 'There is an NVIDIA GPU, but its kernel driver is not loaded',
        remedy:
          'Install the driver on the host (Ubuntu: sudo ubuntu-drivers install; Debian: sudo apt-get install ' +
          'nvidia-driver) and restart',
      },
    ];
  }
  if (!machine.nvidiaDevice) {
    return [
      {
        code: 'nvidia-device-missing',
        severity: 'warning',
        message:
          `The NVIDIA driver ${machine.nvidiaDriver} is loaded, but no GPU device is ` +
          `visible${machine.container ? ' in this container' : ''}`,
        remedy: machine.container
          ? 'Install the NVIDIA Container Toolkit on the host and start the container with --gpus all ' +
            '(Compose: deploy.resources.reservations.devices)'
          : 'Run: sudo nvidia-modprobe -u -c 0, and check `dmesg | grep -i nvrm`',
      },
    ];
  }
  return [
    {
      code: machine.container ? 'nvidia-container-capabilities' : 'nvidia-vulkan-missing',
      severity: 'warning',
      message:
        `The NVIDIA driver ${machine.nvidiaDriver} works, but ` +
        `${machine.nvidiaVulkan ? 'its Vulkan driver does not load' : 'its Vulkan driver is not there'}`,
      remedy: machine.container
        ? 'Start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics, and have libvulkan1 ' +
          'libegl1 libglvnd0 libx11-6 libxext6 in the image'
        : 'Run: sudo apt-get install libvulkan1 libegl1 libglvnd0 libx11-6 libxext6 and the GL package of the ' +
          'NVIDIA driver (Ubuntu: libnvidia-gl-<version>, Debian: nvidia-vulkan-icd)',
    },
  ];
}

const VENDOR_NAMES: Record<string, string> = { amd: 'AMD', intel: 'Intel' };

function renderFindings(machine: MachineFacts, adapters: readonly AdapterFacts[]): Finding[] {
  const missing = ['amd', 'intel'].filter(
    (vendor) => machine.pciGpus.some((g) => g.vendor === vendor) && !adapters.some((a) => a.vendor === vendor),
  );
  return missing.map((vendor): Finding => {
    const name = VENDOR_NAMES[vendor];
    if (machine.renderNodes.length === 0) {
      return {
        code: `${vendor}-device-missing`,
        severity: 'warning',
        message: `There is a GPU of ${name}, but no /dev/dri/renderD… device`,
        remedy: machine.container
          ? 'Start the container with --device /dev/dri and --group-add $(getent group render | cut -d: -f3)'
          : "Load the kernel's driver (amdgpu, i915 or xe), with its firmware package",
      };
    }
    return {
      code: `${vendor}-vulkan-missing`,
      severity: 'warning',
      message: `There is a GPU of ${name}, but its Vulkan driver does not answer`,
      remedy: `Run: sudo usermod -aG render,video $USER, log in again; ${manualCommand()}`,
    };
  });
}
