import { PlinthError } from '../../core/errors.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';

const GB = 1e9;
/** Memory of the smallest device that is meant; cards of 8 GB state a little less. */
const LEAST_MEMORY = 7.5 * GB;
/** Multiplications and additions of a run of `standard` with six photos, and what two cores of a CPU do in a second. */
const WORK = 500e12;
const SOFTWARE_PER_SECOND = 30e9;

/**
 * @param onSoftware whether the software adapter will do
 * @throws `METHOD_DEVICE_TOO_SMALL`
 */
export function requireDevice({ kind, device, memory }: AdapterFacts, onSoftware: boolean): void {
  const expected = 'a GPU with 8 GB of memory';
  const remedy = 'Choose another GPU with --adapter or PLINTH_ADAPTER (`plinth doctor` lists them)';
  if (kind === 'software') {
    if (onSoftware) return;
    const hours = Math.round(WORK / SOFTWARE_PER_SECOND / 3600);
    throw new PlinthError('METHOD_DEVICE_TOO_SMALL', {
      found: `${device} computes on the CPU: a run would take about ${hours} hours on two cores`,
      expected,
      remedy: `${remedy}; PLINTH_NN_SOFTWARE=1 runs it all the same`,
      subject: device,
    });
  }
  // An integrated one names a share of the system's memory, and gets more where it needs it.
  if (kind === 'integrated' || memory === undefined || memory >= LEAST_MEMORY) return;
  throw new PlinthError('METHOD_DEVICE_TOO_SMALL', {
    found: `${device} has ${(memory / GB).toFixed(1)} GB of memory`,
    expected,
    remedy,
    subject: device,
  });
}
