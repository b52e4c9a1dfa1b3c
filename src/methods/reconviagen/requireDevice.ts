import { PlinthError } from '../../core/errors.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';
import { chooseMemoryTier } from './memory.js';

/** Multiplications and additions of a run of `standard` with six photos, and what two cores of a CPU do in a second. */
const WORK = 500e12;
const SOFTWARE_PER_SECOND = 30e9;

/**
 * Refuses a device that no run fits, be it of a single photo: what is counted for a run decides.
 * @param onSoftware whether the software adapter will do
 * @throws `METHOD_DEVICE_TOO_SMALL`
 */
export function requireDevice(adapter: AdapterFacts, onSoftware: boolean): void {
  const { kind, device } = adapter;
  if (kind === 'software') {
    if (onSoftware) return;
    const hours = Math.round(WORK / SOFTWARE_PER_SECOND / 3600);
    throw new PlinthError('METHOD_DEVICE_TOO_SMALL', {
      found: `${device} computes on the CPU: a run would take about ${hours} hours on two cores`,
      expected: 'a GPU with 8 GB of memory',
      remedy:
        'Choose another GPU with --adapter or PLINTH_ADAPTER (`plinth doctor` lists them); ' +
        'PLINTH_NN_SOFTWARE=1 runs it all the same',
      subject: device,
    });
  }
  chooseMemoryTier(adapter, { photos: 1 });
}
