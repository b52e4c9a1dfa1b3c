import type { Warning } from '../../core/context.js';
import type { PhotoVerdict } from '../diagnose/photos.js';
import type { SetFacts } from '../diagnose/set.js';
import type { FoundCameras } from '../findCameras.js';

/** What was found out about a set of photos. JSON-serialisable. */
export interface PhotosReport {
  set: SetFacts;
  photos: PhotoVerdict[];
  warnings: Warning[];
}

export const photosReport = ({ facts, verdicts, warnings }: FoundCameras): PhotosReport => ({
  set: facts,
  photos: verdicts,
  warnings,
});

/** `photos.json`: the report as text. */
export const photosJson = (found: FoundCameras): string => `${JSON.stringify(photosReport(found), undefined, 2)}\n`;
