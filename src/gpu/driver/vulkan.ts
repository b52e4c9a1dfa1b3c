/**
 * What the Vulkan loader says about the machine's devices. WebGPU hides the device type and the memory size; both
 * matter here. Layouts follow the Vulkan 1.3 specification, chapters 4.2 (instances) and 5.1 (physical devices).
 */
import koffi from 'koffi';
import { quietStderr } from '../adapter/quietStderr.js';

export interface VulkanDevice {
  name: string;
  type: 'other' | 'integrated' | 'discrete' | 'virtual' | 'cpu';
  /** PCI vendor number: 0x10de NVIDIA, 0x1002 AMD, 0x8086 Intel, 0x10005 Mesa's software driver. */
  vendorId: number;
  deviceId: number;
  /** Such as "1.4.305". */
  apiVersion: string;
  /** The driver's version as its vendor writes it. */
  driverVersion: string;
  /** Bytes of the largest device-local heap. */
  memory: number;
}

const TYPES = ['other', 'integrated', 'discrete', 'virtual', 'cpu'] as const;
const STRUCTURE_TYPE_INSTANCE_CREATE_INFO = 1;
const HEAP_DEVICE_LOCAL = 1;

/** True where the system has a Vulkan loader of its own, or one is loaded into this process. */
export function hasVulkanLoader(): boolean {
  try {
    koffi.load('libvulkan.so.1');
    return true;
  } catch {
    return false;
  }
}

/** The devices that the Vulkan loader of a Linux system offers; empty where there is no loader or no driver. */
export function vulkanDevices(): VulkanDevice[] {
  if (process.platform !== 'linux') return [];
  try {
    return quietStderr(enumerate);
  } catch {
    return [];
  }
}

function enumerate(): VulkanDevice[] {
  const library = koffi.load('libvulkan.so.1');
  const createInstance = library.func(
    'int vkCreateInstance(const void *info, const void *allocator, _Out_ void **instance)',
  );
  const destroyInstance = library.func('void vkDestroyInstance(void *instance, const void *allocator)');
  const enumerateDevices = library.func(
    'int vkEnumeratePhysicalDevices(void *instance, _Inout_ uint32_t *count, _Out_ void **devices)',
  );
  const getProperties = library.func('void vkGetPhysicalDeviceProperties(void *device, _Out_ uint8_t *properties)');
  const getMemory = library.func('void vkGetPhysicalDeviceMemoryProperties(void *device, _Out_ uint8_t *properties)');

  const info = Buffer.alloc(64);
  info.writeUInt32LE(STRUCTURE_TYPE_INSTANCE_CREATE_INFO, 0);
  const instance: unknown[] = [null];
  if (createInstance(info, null, instance) !== 0) return [];
  try {
    const count = [64];
    const devices: unknown[] = new Array(64).fill(null);
    const result = enumerateDevices(instance[0], count, devices) as number;
    if (result < 0) return [];
    return devices.slice(0, count[0]).map((device) => {
      const properties = Buffer.alloc(1024);
      getProperties(device, properties);
      const memory = Buffer.alloc(1024);
      getMemory(device, memory);
      return describe(properties, memory);
    });
  } finally {
    destroyInstance(instance[0], null);
  }
}

/** Reads VkPhysicalDeviceProperties and VkPhysicalDeviceMemoryProperties. */
function describe(properties: Buffer, memory: Buffer): VulkanDevice {
  const api = properties.readUInt32LE(0);
  const driver = properties.readUInt32LE(4);
  const vendorId = properties.readUInt32LE(8);
  const end = properties.indexOf(0, 20);
  let largest = 0;
  const heaps = memory.readUInt32LE(260);
  for (let i = 0; i < heaps; i++) {
    const at = 264 + i * 16;
    if (memory.readUInt32LE(at + 8) & HEAP_DEVICE_LOCAL)
      largest = Math.max(largest, Number(memory.readBigUInt64LE(at)));
  }
  return {
    name: properties.toString('utf8', 20, Math.min(end, 276)),
    type: TYPES[properties.readUInt32LE(16)] ?? 'other',
    vendorId,
    deviceId: properties.readUInt32LE(12),
    apiVersion: `${(api >>> 22) & 0x7f}.${(api >>> 12) & 0x3ff}.${api & 0xfff}`,
    driverVersion: driverVersion(vendorId, driver),
    memory: largest,
  };
}

/** NVIDIA packs its version as 10, 8, 8 and 6 bits; the others follow Vulkan's 10, 10 and 12. */
export function driverVersion(vendorId: number, packed: number): string {
  if (vendorId === 0x10de) return `${packed >>> 22}.${(packed >>> 14) & 0xff}.${(packed >>> 6) & 0xff}`;
  return `${packed >>> 22}.${(packed >>> 12) & 0x3ff}.${packed & 0xfff}`;
}
