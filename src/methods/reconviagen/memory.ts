import { PlinthError } from '../../core/errors.js';
import type { AdapterFacts } from '../../gpu/runtime/adapterFacts.js';

/** How much of the device's memory a run takes. */
export interface MemoryTier {
  name: 'full' | 'halves' | 'lean';
  /** Weights that are stored in f32 are kept as halves. */
  halves: boolean;
  /** Keys and values of the conditions stay on the device; else every block makes them anew, which takes longer. */
  keepsConditions: boolean;
}

/** From the one that takes most to the one that takes least. */
export const MEMORY_TIERS: readonly MemoryTier[] = [
  { name: 'full', halves: false, keepsConditions: true },
  { name: 'halves', halves: true, keepsConditions: true },
  { name: 'lean', halves: true, keepsConditions: false },
];

/** What a run is about, as far as memory goes. */
export interface MemoryCase {
  photos: number;
  /** Occupied voxels of 64³. Default: as many as a large object has, since nobody knows them before they are made. */
  voxels?: number;
}

/** Voxels that are counted on until they are known: a ball that fills the volume has 20,000. */
const VOXELS = 32_000;

/** Stages in which networks run. */
export type MemoryStage = 'encode' | 'structure' | 'latent' | 'decode';

interface StageBytes {
  /** The network, with what it works on whatever the run; VGGT is stored in f32. */
  base: number;
  halves: number;
  photo?: number;
  voxel?: number;
  /** Keys and values of the conditions, where they are kept. */
  kept?: number;
  keptByPhoto?: number;
}

/**
 * Bytes on the device while a stage runs: what its network weighs, and what each photo and each voxel adds. They were
 * counted with the networks of the published sizes (`fullSize.test.ts` counts again), pool and pages included, and
 * rounded up.
 */
const STAGES: Record<MemoryStage, StageBytes> = {
  encode: { base: 3.68e9, halves: 1.87e9, photo: 0.135e9 },
  structure: { base: 1.52e9, halves: 1.52e9, kept: 0.81e9 },
  latent: { base: 1.22e9, halves: 1.22e9, photo: 0.02e9, keptByPhoto: 0.285e9, voxel: 66e3 },
  decode: { base: 0.3e9, halves: 0.3e9, voxel: 175e3 },
};

/** Bytes that each stage takes on the device at most. */
export function stageBytes({ photos, voxels = VOXELS }: MemoryCase, tier: MemoryTier): Record<MemoryStage, number> {
  const bytes = ({ base, halves, photo = 0, voxel = 0, kept = 0, keptByPhoto = 0 }: StageBytes): number =>
    (tier.halves ? halves : base) +
    photo * photos +
    voxel * voxels +
    (tier.keepsConditions ? kept + keptByPhoto * photos : 0);
  return {
    encode: bytes(STAGES.encode),
    structure: bytes(STAGES.structure),
    latent: bytes(STAGES.latent),
    decode: bytes(STAGES.decode),
  };
}

/** Bytes that a run takes on the device at most. */
export const requiredBytes = (run: MemoryCase, tier: MemoryTier): number =>
  Math.max(...Object.values(stageBytes(run, tier)));

/** What the driver, the screen and other programs take. */
const OTHERS = 0.7e9;

/**
 * The tier that takes most of what fits the device. A device that does not tell its memory, or that shares the
 * system's, gets the one that takes least.
 * @throws `METHOD_DEVICE_TOO_SMALL` where none fits
 */
export function chooseMemoryTier({ kind, device, memory }: AdapterFacts, run: MemoryCase): MemoryTier {
  const least = MEMORY_TIERS[MEMORY_TIERS.length - 1];
  if (memory === undefined || kind === 'integrated' || kind === 'software') return least;
  const tier = MEMORY_TIERS.find((one) => requiredBytes(run, one) + OTHERS <= memory);
  if (tier) return tier;
  const needed = requiredBytes(run, least) + OTHERS;
  throw new PlinthError('METHOD_DEVICE_TOO_SMALL', {
    found: `${device} has ${gigabytes(memory)} GB of memory`,
    expected: `${gigabytes(needed)} GB for ${run.photos} photo${run.photos === 1 ? '' : 's'}`,
    remedy:
      'Choose another GPU with --adapter or PLINTH_ADAPTER (`plinth doctor` lists them)' +
      (run.photos > 1 ? ', or take fewer photos' : ''),
    subject: device,
  });
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
