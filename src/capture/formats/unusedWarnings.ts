import type { Warning } from '../../core/context.js';
import type { LeftOut } from '../layout/leftOut.js';
import { fileName, folderOf } from '../layout/names.js';
import { counted } from './warnings.js';

/** One warning for each folder and kind of files that lie beside those in use and were not used. */
export function unusedWarnings(unused: readonly LeftOut[]): Warning[] {
  const groups = new Map<string, { of: LeftOut; names: string[] }>();
  for (const part of unused) {
    const key = `${part.kind} ${part.reason} ${folderOf(part.name)}`;
    const known = groups.get(key);
    if (known) known.names.push(part.name);
    else groups.set(key, { of: part, names: [part.name] });
  }
  return [...groups.values()].map(({ of, names }) => warningOf(of, names));
}

function warningOf({ kind, reason, name }: LeftOut, names: readonly string[]): Warning {
  const folder = folderOf(name);
  const list = counted(names.map(fileName), 3);
  const one = names.length === 1;
  const are = one ? 'is' : 'are';
  const some = (what: string): string => `${names.length} ${what}${one ? '' : 's'}`;
  if (reason === 'not-read') {
    return {
      code: 'CAPTURE_DEPTH_UNREAD',
      message:
        `${some('depth map')} in ${folder || 'the capture'} ${are} of a format that is not read and ${are} not ` +
        `used: ${list}.`,
      subject: name,
      remedy: 'Export depth as 16-bit PNG, TIFF, EXR or NumPy files, and name them in a transforms.json.',
    };
  }
  if (kind === 'picture') {
    return {
      code: 'CAPTURE_EXTRA_IMAGES',
      message:
        `${some('picture')} in ${fileName(folder) || 'the capture'} ${one ? 'has' : 'have'} no camera and ${are} not ` +
        `used: ${list}.`,
      subject: fileName(name),
      remedy: 'Add their frames to the metadata if they are meant to be used.',
    };
  }
  const isMask = kind === 'mask';
  return {
    code: isMask ? 'CAPTURE_EXTRA_MASKS' : 'CAPTURE_EXTRA_DEPTH',
    message:
      `${some(isMask ? 'mask' : 'depth map')} in ${folder} ${one ? 'belongs' : 'belong'} to no view and ${are} not ` +
      `used: ${list}.`,
    subject: name,
    remedy: isMask
      ? 'Give them the names of their pictures (r_1.png, r_1.jpg.png or r_1_mask.png for r_1.jpg), or name them by ' +
        'mask_path.'
      : 'Name them in the metadata (depth_file_path of each frame, with depth_unit_scale_factor).',
  };
}
