import { readFileSync } from 'node:fs';
import type { GpuHost } from '../runtime/shader.js';

/** Node as the engine's platform: shaders are files beside their modules. */
export const nodeHost: GpuHost = {
  readText: (url) => readFileSync(url, 'utf8'),
};
