import type { FileAccess } from '../../../src/capture/layout/access.js';
import { withFrames } from '../../../src/capture/layout/bareFrames.js';
import { chooseColmapPair } from '../../../src/capture/layout/colmap/pairs.js';
import { isFew } from '../../../src/capture/layout/culling.js';
import { type ExportFormat, findLayouts, type Layout, layoutName } from '../../../src/capture/layout/detect.js';
import { FileList } from '../../../src/capture/layout/fileList.js';
import { locate } from '../../../src/capture/layout/locate.js';
import { findMask } from '../../../src/capture/layout/masks.js';
import { metadataText, parseJson } from '../../../src/capture/layout/metadata.js';
import {
  DEPTH_EXTENSIONS,
  fileName,
  folderOf,
  IMAGE_EXTENSIONS,
  isImageName,
  isSideFolder,
} from '../../../src/capture/layout/names.js';
import { FEWEST_PHOTOS } from '../../../src/capture/layout/photos.js';
import { arrangeSixViews } from '../../../src/capture/layout/sixViews.js';
import { unreadPictures } from '../../../src/capture/layout/unreadPictures.js';
import { unusedFiles } from '../../../src/capture/layout/unused.js';
import type { NamedFile } from '../api.js';
import { type Entry, readZip } from './readZip.js';
import { type FrameFields, sketchColmap, sketchFrame, sketchSide } from './sketch.js';
import { anyTransparency } from './transparency.js';
import type { Finding, LeftOutEntry, Understanding, UnderstoodView } from './understanding.js';

/** Views below which a capture without depth is told to be thin. */
const FEW_VIEWS = 8;

interface Files extends FileAccess {
  byPath: ReadonlyMap<string, Entry>;
}

/** Names of the programs whose exports are read. */
const PROGRAMS: Record<ExportFormat, string> = {
  polycam: 'Polycam',
  record3d: 'Record3D',
  arkit: 'an ARKit scanner',
  neus: 'NeuS or IDR',
  metashape: 'Metashape',
  realitycapture: 'RealityCapture',
  meshroom: 'Meshroom',
  openmvg: 'OpenMVG',
  bundler: 'Bundler',
  llff: 'LLFF',
};

type Found = Pick<Understanding, 'layout' | 'title' | 'cameras' | 'views'> & {
  findings?: Finding[];
  leftOut?: LeftOutEntry[];
};

/** Looks at dropped files by the rules of the service: layout, views, masks, depth, cameras, and what is missing. */
export async function understand(files: NamedFile[]): Promise<Understanding> {
  const base: Understanding = {
    layout: 'unknown',
    title: 'Not a capture that Plinth knows',
    name: files[0]?.name.split('/')[0].replace(/\.zip$/i, '') ?? 'capture',
    views: [],
    leftOut: [],
    masks: 'none',
    cameras: 'missing',
    findings: [],
    bytes: files.reduce((sum, f) => sum + f.data.size, 0),
    complete: false,
  };
  let entries: Entry[] = files.map((f) => ({ name: f.name, bytes: f.data.size, blob: async () => f.data }));
  if (files.length === 1 && /\.zip$/i.test(files[0].name)) {
    try {
      entries = await readZip(files[0].data);
    } catch (error) {
      return { ...base, findings: [missing((error as Error).message, 'Pack the folder again.')] };
    }
  }
  if (!files[0]?.name.includes('/') && files.length > 1) base.name = 'Loose pictures';
  const held = access(entries);
  let first: Finding | undefined;
  // As the service does: what cannot be used for its metadata alone gives way to the next.
  const layouts = await findLayouts(held);
  for (const [i, layout] of layouts.entries()) {
    try {
      const found = await look(layout, held);
      const leftOut = [...otherCameras(layouts, i), ...(found.leftOut ?? []), ...unusedOf(found, held)];
      return await complete({ ...base, ...found, leftOut, findings: found.findings ?? [] });
    } catch (error) {
      first ??= inOwnWords(error);
    }
  }
  return { ...base, findings: first ? [first] : [] };
}

/** The other metadata beside what is read. */
const otherCameras = (layouts: readonly Layout[], read: number): LeftOutEntry[] =>
  layouts
    .filter((_, i) => i !== read)
    .map((layout) => ({ kind: 'cameras', name: layoutName(layout), reason: 'other-cameras' }));

/** Files beside those of the views, by the rule of the service. */
function unusedOf({ cameras, views, leftOut = [] }: Found, { list, byPath }: Files): LeftOutEntry[] {
  if (cameras !== 'given') return [];
  const pictures = views.flatMap((v) => v.picture?.name ?? []);
  const used = new Set([...pictures, ...views.flatMap((v) => [v.mask?.name ?? '', v.depth?.name ?? ''])]);
  const told = new Set(leftOut.map(({ name }) => name));
  return unusedFiles(list, pictures, used)
    .filter(({ name }) => !told.has(name))
    .map((part) => ({ ...part, picture: part.kind === 'picture' ? byPath.get(part.name) : undefined }));
}

function access(entries: readonly Entry[]): Files {
  const byPath = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    list: new FileList(byPath.keys()),
    byPath,
    async read(path, most) {
      const blob = await byPath.get(path)!.blob();
      return new Uint8Array(await (most === undefined ? blob : blob.slice(0, most)).arrayBuffer());
    },
  };
}

const missing = (message: string, remedy?: string): Finding => ({ severity: 'missing', message, remedy });

/** What the rules refuse they say in the words of the service. */
function inOwnWords(error: unknown): Finding {
  const { found, message, remedy } = error as Error & { found?: string; remedy?: string };
  return missing(`${found ?? message}.`, remedy && `${remedy}.`);
}

async function look(layout: Layout, files: Files): Promise<Found> {
  switch (layout.kind) {
    case 'transforms':
      return fromTransforms(layout, files);
    case 'colmap':
      return fromColmap(layout, files);
    case 'export':
      return fromExport(layout, files);
    case 'six-view':
      return fromSixViews(layout, files);
    case 'unread-pictures':
      throw unreadPictures(layout, layout.names[0]);
    case 'pictures':
      if (layout.images.length >= FEWEST_PHOTOS) return fromPhotos(layout.images, files);
      return {
        layout: 'pictures',
        title: 'Pictures without cameras',
        cameras: 'missing',
        views: layout.images.map((name) => ({ name, picture: files.byPath.get(name), test: false })),
        findings: [
          missing(
            'Nothing says where the cameras stood.',
            'Run COLMAP or ns-process-data on the pictures and drop the folder it makes. Or put six views ' +
              'named front, back, left, right, top and bottom into a folder multi_views.',
          ),
        ],
      };
    case 'several-transforms':
      return unknown(
        `There are several transforms files: ${layout.names.join(', ')}.`,
        'Keep one, or name them transforms_train.json and transforms_test.json.',
      );
    case 'nothing':
      return unknown(
        files.list.paths.length === 0 ? 'There are no files in it.' : 'There are no pictures in it.',
        'Drop a folder with pictures and a transforms.json, a COLMAP model, or six views in multi_views/.',
      );
  }
}

const unknown = (message: string, remedy: string): Found => ({
  layout: 'unknown',
  title: 'Not a capture that Plinth knows',
  cameras: 'missing',
  views: [],
  findings: [missing(message, remedy)],
});

async function fromTransforms({ files, unread }: Layout & { kind: 'transforms' }, all: Files): Promise<Found> {
  const views: UnderstoodView[] = [];
  const findings: Finding[] = [];
  const leftOut = unread.map((name): LeftOutEntry => ({ kind: 'cameras', name, reason: 'other-cameras' }));
  const what = { layout: 'transforms', title: 'Pictures with cameras', cameras: 'given' } as const;
  const found = { ...what, views, findings, leftOut };
  for (const { file, split } of files) {
    let json: FrameFields & { frames?: unknown };
    try {
      json = withFrames(parseJson(file, metadataText(file, await all.read(file)))) as typeof json;
    } catch {
      findings.push(missing(`${fileName(file)} is no valid JSON.`, 'Export it again.'));
      return { ...found, title: 'Cameras in a transforms file', views: [] };
    }
    const frames = Array.isArray(json?.frames) ? (json.frames as FrameFields[]) : [];
    if (frames.length === 0 && split === 'train') {
      findings.push(missing(`${fileName(file)} lists no frames.`, 'Export it again with its pictures.'));
    }
    const files = filesOf(frames, file, all);
    for (const [i, frame] of frames.entries()) {
      const view = { ...files[i], test: split === 'test', camera: sketchFrame(frame, json) };
      const again = view.picture && views.some(({ picture }) => picture === view.picture);
      if (again) leftOut.push({ kind: 'picture', name: view.picture?.name ?? view.name, reason: 'twice' });
      else views.push(view);
    }
  }
  const unposed = views.filter((v) => !v.camera).length;
  if (unposed > 0) findings.push(missing(`${unposed} frames have no 4×4 transform_matrix.`, 'Export the file again.'));
  return found;
}

const DEPTH_FIELDS = ['depth_file_path', 'depth_path', 'depth_image_path', 'depth_file', 'depth_image'] as const;

/** Photos whose cameras the service finds. */
function fromPhotos(images: readonly string[], files: Files): Found {
  const findings: Finding[] =
    images.length < FEW_VIEWS
      ? [
          {
            severity: 'hint',
            message: `Only ${images.length} photos.`,
            remedy:
              'Twenty or more from all around, each overlapping the one before by two thirds, give a faithful model.',
          },
        ]
      : [];
  return {
    layout: 'pictures',
    title: 'Photos',
    cameras: 'found',
    views: images.map((name) => ({
      name,
      picture: files.byPath.get(name),
      mask: files.byPath.get(findMask(files.list, [folderOf(name)], name)?.path ?? ''),
      test: false,
    })),
    findings,
  };
}

/** Pictures, masks and depth maps of frames. */
function filesOf(
  frames: readonly FrameFields[],
  file: string,
  { list, byPath }: Files,
): Omit<UnderstoodView, 'test'>[] {
  const base = folderOf(file);
  const named = (names: readonly unknown[], extensions: readonly string[], otherEndings = false) => {
    const texts = names.map((name) => (typeof name === 'string' ? name : ''));
    const wanted = texts.filter((name) => name !== '');
    const { paths } = locate(list, base, wanted, { extensions, otherEndings });
    let next = 0;
    return texts.map((name) => (name === '' ? undefined : paths[next++]));
  };
  const entry = (path: string | undefined): Entry | undefined => (path === undefined ? undefined : byPath.get(path));
  const pictures = named(
    frames.map((frame) => frame.file_path),
    IMAGE_EXTENSIONS,
    true,
  );
  const masks = named(
    frames.map((frame) => frame.mask_path),
    IMAGE_EXTENSIONS,
  );
  const depths = named(
    frames.map((frame) => DEPTH_FIELDS.map((field) => frame[field]).find((name) => typeof name === 'string')),
    DEPTH_EXTENSIONS,
  );
  return frames.map((frame, i) => {
    const picture = pictures[i];
    const name = typeof frame.file_path === 'string' ? frame.file_path : '';
    return {
      name: name.replaceAll('\\', '/').replace(/^(\.\/)+/, ''),
      picture: entry(picture),
      depth: entry(depths[i]),
      mask: entry(masks[i] ?? (picture && findMask(list, [base], picture)?.path)),
    };
  });
}

async function fromColmap({ root }: Layout & { kind: 'colmap' }, files: Files): Promise<Found> {
  const { list, byPath } = files;
  const { model, paths, pictures, others } = await chooseColmapPair(files, root);
  const bases = [pictures === root ? root : folderOf(pictures), root];
  const views = model.images.map((image, i): UnderstoodView => {
    const path = paths[i];
    const mask = path && findMask(list, bases, path)?.path;
    return {
      name: image.name,
      picture: path === undefined ? undefined : byPath.get(path),
      mask: mask === undefined ? undefined : byPath.get(mask),
      test: false,
      camera: sketchColmap(image),
    };
  });
  const left = others.map(({ folder, images }) => `${folder || '.'} (${images} images)`).join(', ');
  const findings: Finding[] =
    left === '' ? [] : [{ severity: 'hint', message: `Of several models, ${model.folder} is read and not ${left}.` }];
  const leftOut = others.map(
    ({ folder }): LeftOutEntry => ({ kind: 'cameras', name: folder || '.', reason: 'other-model' }),
  );
  return { layout: 'colmap', title: 'COLMAP model', cameras: 'given', views, findings, leftOut };
}

/** Cameras in a file that only the service reads: the pictures are shown without them. */
function fromExport({ root, format }: Layout & { kind: 'export' }, { list, byPath }: Files): Found {
  const views = list.paths
    .filter((path) => isImageName(path) && (root === '' || path.startsWith(`${root}/`)))
    .filter((path) => !folderOf(path).split('/').some(isSideFolder))
    .map((path): UnderstoodView => {
      const mask = findMask(list, [folderOf(folderOf(path)), root], path)?.path;
      return {
        name: path,
        picture: byPath.get(path),
        mask: mask === undefined ? undefined : byPath.get(mask),
        test: false,
      };
    });
  return { layout: 'export', title: `Cameras of ${PROGRAMS[format]}`, cameras: 'given', views };
}

function fromSixViews({ root }: Layout & { kind: 'six-view' }, { list, byPath }: Files): Found {
  const { files } = arrangeSixViews(list, root, false);
  return {
    layout: 'six-views',
    title: 'Six views of a generated object',
    cameras: 'assumed',
    views: files.map(({ name, color, depth, mask }) => ({
      name,
      picture: byPath.get(color),
      depth: depth === undefined ? undefined : byPath.get(depth),
      mask: mask === undefined ? undefined : byPath.get(mask),
      test: false,
      camera: sketchSide(name),
    })),
  };
}

async function complete(result: Understanding): Promise<Understanding> {
  const { findings } = result;
  const all = result.views;
  const lost = all.filter((v) => !v.picture);
  if (lost.length > 0) {
    const names = lost.slice(0, 3).map((v) => v.name);
    const message =
      `${lost.length} of ${all.length} pictures are not there: ` + `${names.join(', ')}${lost.length > 3 ? ' …' : ''}.`;
    const training = all.filter((v) => !v.test);
    findings.push(
      isFew(training.filter((v) => v.picture).length, training.length)
        ? missing(message, 'Drop the whole folder, with the pictures that the camera file names.')
        : { severity: 'hint', message, remedy: 'They are left out.' },
    );
    // Where too few are there, what is missing is shown in its place.
    if (!findings.some((f) => f.severity === 'missing')) {
      result.views = all.filter((v) => v.picture);
      const gone = lost.map(({ name, camera }): LeftOutEntry => ({ kind: 'picture', name, reason: 'missing', camera }));
      result.leftOut = [...gone, ...result.leftOut];
    }
  }
  const { views } = result;
  if (views.some((v) => v.mask)) result.masks = 'files';
  else if (await anyTransparency(views.flatMap((v) => v.picture ?? []))) result.masks = 'transparency';
  const training = views.filter((v) => !v.test).length;
  if (result.cameras === 'given' && training < FEW_VIEWS && !views.some((v) => v.depth)) {
    findings.push({
      severity: 'hint',
      message: `Only ${training} views and no depth: hollows will stay hidden.`,
      remedy: 'Twenty views or more from all around give a faithful model.',
    });
  }
  if (result.masks === 'none' && views.length > 0) {
    findings.push({
      severity: 'hint',
      message:
        result.cameras === 'found'
          ? 'There are no masks: the object that the photos look at will be found and cut out.'
          : 'There are no masks: the object will be told from a plain background, if it has one.',
    });
  }
  result.complete = !findings.some((f) => f.severity === 'missing') && views.length > 0;
  return result;
}
