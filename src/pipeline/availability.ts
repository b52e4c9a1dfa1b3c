import { join, resolve } from 'node:path';
import { type PlinthError, toPlinthError } from '../core/errors.js';
import { cacheFolder } from '../gpu/driver/softwareDriver.js';
import type { AdapterFacts } from '../gpu/runtime/adapterFacts.js';
import type { Method } from '../methods/method.js';
import { findWeights, missingWeights, notAccepted, readNotes } from '../weights/folder.js';
import type { WeightManifest } from '../weights/manifest.js';
import { openWeights } from '../weights/openWeights.js';
import type { WeightFiles } from '../weights/weightFiles.js';

/** Where a method is to run. */
export interface MethodPlace {
  /** Folder of network weights. Default: see `weightsFolder`. */
  weights?: string;
  /** The device, where it is known yet. */
  adapter?: AdapterFacts;
}

/** The folder of network weights: the given one, else PLINTH_WEIGHTS, else `weights` in the cache folder. */
export const weightsFolder = (given?: string): string =>
  resolve(given || process.env.PLINTH_WEIGHTS || join(cacheFolder(), 'weights'));

/** The weights of a method, as the installation has them. */
export const installedWeights = (manifest: WeightManifest, folder?: string): WeightFiles =>
  openWeights(manifest, weightsFolder(folder), {
    testModels: process.env.PLINTH_TEST_MODELS === '1',
    onSoftware: process.env.PLINTH_NN_SOFTWARE === '1',
  });

/**
 * Throws where a method cannot run here, before anything is uploaded or read: its weights are missing, of other form
 * than its networks need, or their licences were not accepted; or the device is too small.
 * @throws `WEIGHTS_MISSING`, `WEIGHTS_LICENCE`, `WEIGHTS_INVALID`, `WEIGHTS_UNSUPPORTED`, `METHOD_DEVICE_TOO_SMALL`
 */
export async function requireAvailable(method: Method, { weights, adapter }: MethodPlace = {}): Promise<void> {
  const manifest = method.weights;
  if (!manifest) return;
  const folder = weightsFolder(weights);
  const found = await findWeights(manifest, folder);
  const present = found.filter(({ size }) => size !== undefined).length;
  if (present < found.length) throw missingWeights(manifest, folder, present, found.length);
  const refusal = notAccepted(manifest, await readNotes(folder));
  if (refusal) throw refusal;
  await method.checkWeights?.(installedWeights(manifest, folder), adapter);
}

/** Why a method cannot run here; `undefined` where it can. */
export async function unavailable(method: Method, place?: MethodPlace): Promise<PlinthError | undefined> {
  try {
    await requireAvailable(method, place);
    return undefined;
  } catch (error) {
    return toPlinthError(error);
  }
}
