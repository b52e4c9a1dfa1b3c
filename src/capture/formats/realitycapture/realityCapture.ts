import { locate } from '../../layout/locate.js';
import { invalidMetadata } from '../../layout/metadata.js';
import { folderOf, IMAGE_EXTENSIONS } from '../../layout/names.js';
import { pictureSize, SIZE_BYTES } from '../../layout/pictureSize.js';
import { demandViews, numberOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';
import { Z_UP_TO_Y_UP } from '../transforms.js';

/** Width of the film that RealityCapture states focal lengths for, millimetres: the picture's longer side. */
const FILM = 36;
const COLUMNS = ['x', 'y', 'alt', 'heading', 'pitch', 'roll', 'f'];

/**
 * Reads the CSV of RealityCapture and RealityScan (Registration, Internal/External camera parameters): positions east,
 * north and up; heading clockwise from north, pitch and roll in degrees, of a camera that looks straight down where all
 * are zero; focal length in millimetres of a 36 mm film on the picture's longer side; principal point as an offset from
 * the middle in shares of that side ("RealityCapture XMP camera math"); Brown's distortion k1 … k4, t1, t2. A first
 * line may count the cameras.
 */
export const readRealityCapture: ReadExport = async (source) => {
  const where = source.list.locate(source.file);
  const lines = (await textOf(source, source.file)).split(/\r?\n/).filter((line) => line.trim() !== '');
  const [header, ...rows] = /^#\s*cameras\b/i.test(lines[0]) ? lines.slice(1) : lines;
  const separator = header.includes(';') ? ';' : ',';
  const columns = header.split(separator).map((name) => name.trim().replace(/^#/, '').toLowerCase());
  const missing = COLUMNS.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw invalidMetadata(where, `it has no column ${missing.join(', ')}`, `the columns name, ${COLUMNS.join(', ')}`);
  }
  const table = rows.map((row) => row.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')));
  const names = table.map(([name]) => name);
  const rules = { extensions: IMAGE_EXTENSIONS, otherEndings: true };
  const { paths } = locate(source.list, folderOf(source.file), names, rules);
  const views: StatedView[] = [];
  for (const [i, cells] of table.entries()) {
    const value = (name: string, other?: number): number => {
      const at = columns.indexOf(name);
      if (at < 0 && other !== undefined) return other;
      return numberOf(cells[at], `${name} in line ${i + 2}`, where);
    };
    const [picture] = cells;
    const path = paths[i];
    // The CSV does not say for which size its numbers are: that of the picture.
    const size = path === undefined ? undefined : pictureSize(await source.read(path, SIZE_BYTES));
    const longer = size ? Math.max(size.width, size.height) : FILM;
    const focal = (value('f') * longer) / FILM;
    views.push({
      picture,
      intrinsics: {
        ...size,
        fx: focal,
        fy: focal,
        cx: size && size.width / 2 + value('px', 0) * longer,
        cy: size && size.height / 2 + value('py', 0) * longer,
        k: ['k1', 'k2', 'k3', 'k4'].map((name) => value(name, 0)),
        p: [value('t1', 0), value('t2', 0)],
      },
      cameraToInput: poseOf(rotation(value('heading'), value('pitch'), value('roll')), [
        value('x'),
        value('y'),
        value('alt'),
      ]),
      split: 'train',
      file: source.file,
    });
  }
  demandViews(views, where, 'RealityCapture');
  return { file: source.file, views, up: Z_UP_TO_Y_UP, orient: false, labels: true, warnings: [] };
};

/** Rows of the camera-to-world rotation: about z by −heading, then x by pitch, then y by roll. */
function rotation(heading: number, pitch: number, roll: number): number[] {
  const [h, p, r] = [-heading, pitch, roll].map((degrees) => (degrees * Math.PI) / 180);
  const [ch, sh, cp, sp, cr, sr] = [Math.cos(h), Math.sin(h), Math.cos(p), Math.sin(p), Math.cos(r), Math.sin(r)];
  return [
    ...[ch * cr - sh * sp * sr, -sh * cp, ch * sr + sh * sp * cr],
    ...[sh * cr + ch * sp * sr, ch * cp, sh * sr - ch * sp * cr],
    ...[-cp * sr, sp, cp * cr],
  ];
}
