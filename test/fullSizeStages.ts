/** The networks of each stage at their published sizes, one after the other, and the device memory that each takes. */
import type { Gpu } from '../src/gpu/runtime/gpu.js';
import { encodePhotos } from '../src/methods/reconviagen/encode.js';
import { latentVoxels, loadLatentFlow, runLatentFlow } from '../src/methods/reconviagen/latentFlow.js';
import { loadMeshDecoder, runMeshDecoder } from '../src/methods/reconviagen/meshDecoder.js';
import type { Model } from '../src/methods/reconviagen/model.js';
import { loadStructureDecoder, runStructureDecoder } from '../src/methods/reconviagen/structureDecoder.js';
import {
  flowConditions,
  loadStructureFlow,
  noConditions,
  runStructureFlow,
} from '../src/methods/reconviagen/structureFlow.js';
import { TellingOps } from '../src/methods/reconviagen/tellingOps.js';

/** Stages by their greatest bytes on the device. */
export type Peaks = Record<'encode' | 'structure' | 'occupancy' | 'latent' | 'decode', number>;

/** The surface of a ball in a volume of 64³, x slowest, as large as makes about so many voxels. */
export function shell(voxels: number, side = 64): Int32Array {
  const radius = Math.min(side / 2 - 1, Math.sqrt(voxels / (4 * Math.PI)));
  const thickness = voxels / (4 * Math.PI * radius * radius) / 2;
  const coords: number[] = [];
  const middle = (side - 1) / 2;
  for (let x = 0; x < side; x++) {
    for (let y = 0; y < side; y++) {
      for (let z = 0; z < side; z++) {
        const distance = Math.hypot(x - middle, y - middle, z - middle);
        if (Math.abs(distance - radius + thickness) <= thickness) coords.push(x, y, z);
      }
    }
  }
  return Int32Array.from(coords);
}

/**
 * Runs every network once, with and without a condition where it has one.
 * @param kept whether keys and values of conditions stay on the device
 */
export async function stagePeaks(
  gpu: Gpu,
  model: Model,
  { photos, coords, kept }: { photos: number; coords: Int32Array; kept: boolean },
): Promise<Peaks> {
  const signal = new AbortController().signal;
  const ops = new TellingOps(gpu);
  const peakOf = async (run: () => Promise<unknown>): Promise<number> => {
    gpu.trim();
    gpu.peakBytes = gpu.bytesInUse;
    await run();
    await ops.tidy();
    return gpu.peakBytes;
  };
  const images = { count: photos, side: model.side, data: new Float32Array(photos * 3 * model.side ** 2) };
  const rows = photos * model.photoTokens;
  const voxels = coords.length / 3;
  return {
    encode: await peakOf(() => encodePhotos(ops, model, images, signal)),
    structure: await peakOf(async () => {
      ops.open();
      const flow = await loadStructureFlow(model.weights('sparse_structure_flow_model', ops));
      const tokens = ops.tensor(new Float32Array(model.structureTokens * 1024), model.structureTokens, 1024);
      const conditions = flowConditions(ops, flow.blocks, tokens, 1, kept);
      const none = noConditions(ops, flow.blocks);
      for (const condition of [conditions, none]) {
        await runStructureFlow(ops, flow, new Float32Array(8 * model.structureSide ** 3), 0.9, condition);
      }
      ops.close();
    }),
    occupancy: await peakOf(async () => {
      ops.open();
      const decoder = await loadStructureDecoder(model.weights('sparse_structure_decoder', ops));
      await runStructureDecoder(ops, decoder, new Float32Array(8 * model.structureSide ** 3));
      ops.close();
    }),
    latent: await peakOf(async () => {
      ops.open();
      const flow = await loadLatentFlow(model.weights('slat_flow_model', ops));
      const tokens = ops.tensor(new Float32Array(rows * 1024), rows, 1024);
      const conditions = flowConditions(ops, flow.blocks, tokens, photos, kept);
      const none = noConditions(ops, flow.blocks);
      const lists = latentVoxels(ops, flow, coords);
      for (const condition of [conditions, none]) {
        await runLatentFlow(ops, flow, lists, new Float32Array(voxels * 8), 0.9, condition);
      }
      ops.close();
    }),
    decode: await peakOf(async () => {
      ops.open();
      const decoder = await loadMeshDecoder(model.weights('slat_decoder_mesh', ops));
      await runMeshDecoder(ops, decoder, new Float32Array(voxels * 8), coords);
      ops.close();
    }),
  };
}
