import type { NamedFile } from '../api.js';
import { colmapCameras } from './colmap.js';
import { type Entry, readZip } from './readZip.js';

/** A camera for drawing: where it stands and how wide it sees. World is +Z up as in transforms files. */
export interface SketchCamera {
  /** Camera to world, 16 numbers, row by row; looks along −z. */
  pose: number[];
  /** Horizontal angle of view, radians. */
  angle: number;
}

export interface UnderstoodView {
  name: string;
  /** Absent where the file is missing. */
  picture?: Entry;
  depth?: Entry;
  mask?: Entry;
  test: boolean;
  camera?: SketchCamera;
}

export interface Finding {
  severity: 'missing' | 'hint';
  message: string;
  remedy?: string;
}

/** What a set of files is, as far as can be told without sending it. The service has the last word. */
export interface Understanding {
  layout: 'transforms' | 'colmap' | 'six-views' | 'pictures' | 'unknown';
  title: string;
  /** Name for the job. */
  name: string;
  views: UnderstoodView[];
  masks: 'files' | 'transparency' | 'none';
  /** Whether cameras are given, assumed (six views), or missing. */
  cameras: 'given' | 'assumed' | 'missing';
  /** Whether pose of every camera stands in a metric frame that the asset will keep. */
  findings: Finding[];
  bytes: number;
  /** Nothing stands in the way of sending. */
  complete: boolean;
}

const PICTURE = /\.(png|jpe?g|webp|avif|tiff?)$/i;
const SIX = ['front', 'back', 'left', 'right', 'top', 'bottom'];
/** Pictures whose first bytes are looked at for transparency. */
const ALPHA_SAMPLES = 8;

/** Looks at dropped files: layout, views, masks, depth, cameras, and what is missing. */
export async function understand(files: NamedFile[]): Promise<Understanding> {
  const bytes = files.reduce((sum, f) => sum + f.data.size, 0);
  let name = files[0]?.name.split('/')[0].replace(/\.zip$/i, '') ?? 'capture';
  let entries: Entry[] = files.map((f) => ({ name: f.name, bytes: f.data.size, blob: async () => f.data }));
  if (files.length === 1 && /\.zip$/i.test(files[0].name)) {
    try {
      entries = (await readZip(files[0].data)).filter((e) => !/(^|\/)(\.|__MACOSX\/)/.test(e.name));
    } catch (error) {
      return {
        ...nothing(name, bytes),
        findings: [{ severity: 'missing', message: (error as Error).message, remedy: 'Pack the folder again.' }],
      };
    }
  }
  entries = withoutCommonFolder(entries);
  if (!files[0]?.name.includes('/') && files.length > 1) name = 'Loose pictures';
  const base = { ...nothing(name, bytes) };
  const byName = new Map(entries.map((e) => [e.name, e]));
  const transforms = entries.filter((e) => /^transforms[^/]*\.json$/.test(e.name));
  const train = byName.get('transforms_train.json');
  const main = train ?? byName.get('transforms.json') ?? (transforms.length === 1 ? transforms[0] : undefined);
  if (main) {
    const test = train && (byName.get('transforms_test.json') ?? byName.get('transforms_val.json'));
    return await fromTransforms(base, byName, main, test);
  }
  if (transforms.length > 1) {
    base.findings.push({
      severity: 'missing',
      message: `There are several transforms files: ${transforms.map((t) => t.name).join(', ')}.`,
      remedy: 'Keep one, or name them transforms_train.json and transforms_test.json.',
    });
    return base;
  }
  const colmap = await colmapCameras(byName);
  if (colmap) return await finish(base, { layout: 'colmap', title: 'COLMAP model', cameras: 'given', views: colmap });
  const six = SIX.map((side) =>
    entries.find((e) => new RegExp(`(^|/)multi_views/${side}\\.(png|jpe?g|webp)$`, 'i').test(e.name)),
  );
  if (six.some((e) => e)) return await fromSixViews(base, entries, six);
  const pictures = entries.filter((e) => PICTURE.test(e.name));
  if (pictures.length === 0) {
    base.findings.push({
      severity: 'missing',
      message: entries.length === 0 ? 'There are no files in it.' : 'There are no pictures in it.',
      remedy: 'Drop a folder with pictures and a transforms.json, a COLMAP model, or six views in multi_views/.',
    });
    return base;
  }
  base.findings.push({
    severity: 'missing',
    message: 'Nothing says where the cameras stood.',
    remedy:
      'Run COLMAP or ns-process-data on the pictures and drop the folder it makes. Or put six views named front, back, left, right, top and bottom into a folder multi_views.',
  });
  return await finish(base, {
    layout: 'pictures',
    title: 'Pictures without cameras',
    cameras: 'missing',
    views: pictures.map((picture) => ({ name: picture.name, picture, test: false })),
  });
}

const nothing = (name: string, bytes: number): Understanding => ({
  layout: 'unknown',
  title: 'Not a capture that Plinth knows',
  name,
  views: [],
  masks: 'none',
  cameras: 'missing',
  findings: [],
  bytes,
  complete: false,
});

async function finish(
  base: Understanding,
  found: Pick<Understanding, 'layout' | 'title' | 'cameras' | 'views'>,
): Promise<Understanding> {
  const result: Understanding = { ...base, ...found };
  const { views, findings } = result;
  const lost = views.filter((v) => !v.picture);
  if (lost.length > 0) {
    findings.push({
      severity: 'missing',
      message: `${lost.length} of ${views.length} pictures are not there: ${lost
        .slice(0, 3)
        .map((v) => v.name)
        .join(', ')}${lost.length > 3 ? ' …' : ''}.`,
      remedy: 'Drop the whole folder, with the pictures that the camera file names.',
    });
  }
  const withMask = views.filter((v) => v.mask).length;
  if (withMask > 0) result.masks = 'files';
  else if (await anyTransparency(views)) result.masks = 'transparency';
  const training = views.filter((v) => !v.test).length;
  if (result.cameras === 'given' && training < 8 && !views.some((v) => v.depth)) {
    findings.push({
      severity: 'hint',
      message: `Only ${training} views and no depth: hollows will stay hidden.`,
      remedy: 'Twenty views or more from all around give a faithful model.',
    });
  }
  if (result.masks === 'none' && views.length > 0) {
    findings.push({
      severity: 'hint',
      message: 'There are no masks: the object will be told from a plain background, if it has one.',
    });
  }
  result.complete = !findings.some((f) => f.severity === 'missing') && views.length > 0;
  return result;
}

interface Frame {
  file_path?: unknown;
  transform_matrix?: unknown;
  depth_file_path?: unknown;
  mask_path?: unknown;
  fl_x?: unknown;
  w?: unknown;
  camera_angle_x?: unknown;
}

async function fromTransforms(
  base: Understanding,
  byName: Map<string, Entry>,
  main: Entry,
  test: Entry | undefined,
): Promise<Understanding> {
  const views: UnderstoodView[] = [];
  for (const [source, isTest] of [
    [main, false],
    [test, true],
  ] as const) {
    if (!source) continue;
    let json: Frame & { frames?: unknown };
    try {
      json = JSON.parse(await (await source.blob()).text());
    } catch {
      base.findings.push({
        severity: 'missing',
        message: `${source.name} is no valid JSON.`,
        remedy: 'Export it again.',
      });
      return { ...base, layout: 'transforms', title: 'Cameras in a transforms file' };
    }
    const frames = Array.isArray(json.frames) ? (json.frames as Frame[]) : [];
    if (frames.length === 0 && !isTest) {
      base.findings.push({
        severity: 'missing',
        message: `${source.name} lists no frames.`,
        remedy: 'Export it again with its pictures.',
      });
    }
    for (const frame of frames) {
      const path = typeof frame.file_path === 'string' ? frame.file_path : '';
      const name = tidy(path);
      views.push({
        name,
        picture: find(byName, name),
        depth: typeof frame.depth_file_path === 'string' ? find(byName, tidy(frame.depth_file_path)) : undefined,
        mask: typeof frame.mask_path === 'string' ? find(byName, tidy(frame.mask_path)) : maskOf(byName, name),
        test: isTest,
        camera: sketch(frame, json),
      });
    }
  }
  const posed = views.filter((v) => v.camera).length;
  if (posed < views.length) {
    base.findings.push({
      severity: 'missing',
      message: `${views.length - posed} frames have no 4×4 transform_matrix.`,
      remedy: 'Export the file again.',
    });
  }
  return await finish(base, { layout: 'transforms', title: 'Pictures with cameras', cameras: 'given', views });
}

async function fromSixViews(base: Understanding, entries: Entry[], six: (Entry | undefined)[]): Promise<Understanding> {
  const absent = SIX.filter((_, i) => !six[i]);
  if (absent.length > 0) {
    base.findings.push({
      severity: 'missing',
      message: `Of the six views, ${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not there.`,
      remedy: 'Add them to multi_views/.',
    });
  }
  const views = SIX.flatMap((side, i): UnderstoodView[] => {
    const picture = six[i];
    if (!picture) return [];
    const depth = entries.find((e) => new RegExp(`(^|/)depth_renders/${side}\\.\\w+$`, 'i').test(e.name));
    return [{ name: side, picture, depth, test: false, camera: SIX_CAMERAS[i] }];
  });
  return await finish(base, {
    layout: 'six-views',
    title: 'Six views of a generated object',
    cameras: 'assumed',
    views,
  });
}

/** Camera-to-world from its three axes in columns and its position. */
const pose = (x: number[], y: number[], z: number[]): number[] =>
  [0, 1, 2].flatMap((r) => [x[r], y[r], z[r], z[r] * 3]).concat(0, 0, 0, 1);
const SIX_CAMERAS: SketchCamera[] = [
  pose([1, 0, 0], [0, 0, 1], [0, -1, 0]),
  pose([-1, 0, 0], [0, 0, 1], [0, 1, 0]),
  pose([0, -1, 0], [0, 0, 1], [-1, 0, 0]),
  pose([0, 1, 0], [0, 0, 1], [1, 0, 0]),
  pose([1, 0, 0], [0, 1, 0], [0, 0, 1]),
  pose([1, 0, 0], [0, -1, 0], [0, 0, -1]),
].map((p) => ({ pose: p, angle: 0.6 }));

function sketch(frame: Frame, file: Frame): SketchCamera | undefined {
  const rows = frame.transform_matrix;
  if (!Array.isArray(rows) || rows.length < 3) return undefined;
  const pose = rows.flat().map(Number);
  if (pose.length < 12 || pose.some((v) => !Number.isFinite(v))) return undefined;
  const number = (key: 'fl_x' | 'w' | 'camera_angle_x'): number => Number(frame[key] ?? file[key]);
  const [focal, width, stated] = [number('fl_x'), number('w'), number('camera_angle_x')];
  const angle = focal > 0 && width > 0 ? 2 * Math.atan(width / 2 / focal) : stated > 0 ? stated : 0.8;
  return { pose, angle };
}

const tidy = (path: string): string => path.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
/** NeRF-synthetic leaves the ending away. */
const find = (byName: Map<string, Entry>, name: string): Entry | undefined =>
  byName.get(name) ?? ['.png', '.jpg', '.jpeg', '.webp'].map((e) => byName.get(name + e)).find((e) => e);

function maskOf(byName: Map<string, Entry>, name: string): Entry | undefined {
  const file = name.split('/').at(-1) ?? '';
  return (
    byName.get(`masks/${file}`) ??
    byName.get(`masks/${file}.png`) ??
    byName.get(`masks/${file.replace(/\.\w+$/, '')}.png`)
  );
}

function withoutCommonFolder(entries: Entry[]): Entry[] {
  let list = entries;
  while (list.length > 0) {
    const folder = list[0].name.slice(0, list[0].name.indexOf('/') + 1);
    // These names mean something.
    if (
      folder === '' ||
      /^(multi_views|sparse|images)\/$/.test(folder) ||
      !list.every((e) => e.name.startsWith(folder))
    )
      return list;
    list = list.map((e) => ({ ...e, name: e.name.slice(folder.length) }));
  }
  return list;
}

async function anyTransparency(views: UnderstoodView[]): Promise<boolean> {
  const pictures = views.flatMap((v) => (v.picture ? [v.picture] : [])).slice(0, ALPHA_SAMPLES);
  const found = await Promise.all(
    pictures.map(async (p) => hasAlpha(new Uint8Array(await (await p.blob()).slice(0, 40).arrayBuffer()))),
  );
  return found.length > 0 && found.every((f) => f);
}

/** From the header of a PNG (colour type 4 or 6) or WebP (VP8X or VP8L alpha bit). */
function hasAlpha(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head);
  if (text.startsWith('\x89PNG')) return head[25] === 4 || head[25] === 6;
  if (text.slice(8, 15) === 'WEBPVP8' && text[15] === 'X') return (head[20] & 0x10) !== 0;
  if (text.slice(8, 16) === 'WEBPVP8L') return (head[24] & 0x10) !== 0;
  return false;
}
