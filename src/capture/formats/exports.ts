import { type CaptureFolder, folderAccess } from '../files/captureFolder.js';
import type { ExportFormat } from '../layout/detect.js';
import type { ResolvedReadOptions } from '../options.js';
import { readArkit } from './arkit/arkit.js';
import { assemble } from './assemble.js';
import { readBundler } from './bundler/bundler.js';
import type { ReadExport } from './exportFile.js';
import { readLlff } from './llff/llff.js';
import { readMeshroom } from './meshroom/meshroom.js';
import { readMetashape } from './metashape/metashape.js';
import { readNeus } from './neus/neus.js';
import { readOpenMvg } from './openmvg/openMvg.js';
import { readPolycam } from './polycam/polycam.js';
import { readRealityCapture } from './realitycapture/realityCapture.js';
import { readRecord3d } from './record3d/record3d.js';
import type { ReadSources } from './sources.js';

const READERS: Readonly<Record<ExportFormat, ReadExport>> = {
  polycam: readPolycam,
  record3d: readRecord3d,
  arkit: readArkit,
  neus: readNeus,
  metashape: readMetashape,
  realitycapture: readRealityCapture,
  meshroom: readMeshroom,
  openmvg: readOpenMvg,
  bundler: readBundler,
  llff: readLlff,
};

/** Reads a capture whose cameras another program exported. What the format states decides axes and distortion. */
export async function readExport(
  folder: CaptureFolder,
  { root, format, file }: { root: string; format: ExportFormat; file: string },
  options: ResolvedReadOptions,
): Promise<ReadSources> {
  const stated = await READERS[format]({ ...folderAccess(folder), root, file });
  return assemble(folder, { format, ...stated, maskBases: [...(stated.maskBases ?? []), root] }, options);
}
