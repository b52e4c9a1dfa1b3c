import { parseImages } from '../../../src/capture/layout/colmap/modelFiles.js';
import { pictureFolder } from '../../../src/capture/layout/colmap/pictureFolder.js';
import { detectLayout, type Layout } from '../../../src/capture/layout/detect.js';
import { FileList } from '../../../src/capture/layout/fileList.js';
import { findMask } from '../../../src/capture/layout/masks.js';
import { metadataText, parseJson } from '../../../src/capture/layout/metadata.js';
import { fileName, folderOf, IMAGE_EXTENSIONS, joinPath } from '../../../src/capture/layout/names.js';
import { resolveName } from '../../../src/capture/layout/resolveName.js';
import { arrangeSixViews } from '../../../src/capture/layout/sixViews.js';
import type { NamedFile } from '../api.js';
import { type Entry, readZip } from './readZip.js';
import { type FrameFields, sketchColmap, sketchFrame, sketchSide } from './sketch.js';
import { anyTransparency } from './transparency.js';
import type { Finding, Understanding, UnderstoodView } from './understanding.js';

/** Views below which a capture without depth is told to be thin. */
const FEW_VIEWS = 8;

interface Files {
  list: FileList;
  byPath: ReadonlyMap<string, Entry>;
}

type Found = Pick<Understanding, 'layout' | 'title' | 'cameras' | 'views'> & { findings?: Finding[] };

/** Looks at dropped files by the rules of the service: layout, views, masks, depth, cameras, and what is missing. */
export async function understand(files: NamedFile[]): Promise<Understanding> {
  const base: Understanding = {
    layout: 'unknown',
    title: 'Not a capture that Plinth knows',
    name: files[0]?.name.split('/')[0].replace(/\.zip$/i, '') ?? 'capture',
    views: [],
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
  const byPath = new Map(entries.map((entry) => [entry.name, entry]));
  const list = new FileList(byPath.keys());
  try {
    const found = await look(detectLayout(list), { list, byPath });
    return await complete({ ...base, ...found, findings: found.findings ?? [] });
  } catch (error) {
    return { ...base, findings: [inOwnWords(error)] };
  }
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
    case 'six-view':
      return fromSixViews(layout, files);
    case 'pictures':
      return {
        layout: 'pictures',
        title: 'Pictures without cameras',
        cameras: 'missing',
        views: layout.images.map((name) => ({ name, picture: files.byPath.get(name), test: false })),
        findings: [
          missing(
            'Nothing says where the cameras stood.',
            'Run COLMAP or ns-process-data on the pictures and drop the folder it makes. Or put six views named front, back, left, right, top and bottom into a folder multi_views.',
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

async function bytesOf({ byPath }: Files, path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await byPath.get(path)!.blob()).arrayBuffer());
}

async function fromTransforms({ files }: Layout & { kind: 'transforms' }, all: Files): Promise<Found> {
  const views: UnderstoodView[] = [];
  const findings: Finding[] = [];
  const found = { layout: 'transforms', title: 'Pictures with cameras', cameras: 'given', views, findings } as const;
  for (const { file, split } of files) {
    let json: FrameFields & { frames?: unknown };
    try {
      json = parseJson(file, metadataText(file, await bytesOf(all, file))) as typeof json;
    } catch {
      findings.push(missing(`${fileName(file)} is no valid JSON.`, 'Export it again.'));
      return { ...found, title: 'Cameras in a transforms file', views: [] };
    }
    const frames = Array.isArray(json?.frames) ? (json.frames as FrameFields[]) : [];
    if (frames.length === 0 && split === 'train') {
      findings.push(missing(`${fileName(file)} lists no frames.`, 'Export it again with its pictures.'));
    }
    for (const frame of frames)
      views.push({ ...filesOf(frame, file, all), test: split === 'test', camera: sketchFrame(frame, json) });
  }
  const unposed = views.filter((v) => !v.camera).length;
  if (unposed > 0) findings.push(missing(`${unposed} frames have no 4×4 transform_matrix.`, 'Export the file again.'));
  return found;
}

function filesOf(frame: FrameFields, file: string, { list, byPath }: Files): Omit<UnderstoodView, 'test'> {
  const base = folderOf(file);
  const named = (name: unknown): string | undefined =>
    typeof name === 'string' && name !== '' ? resolveName(list, base, name, IMAGE_EXTENSIONS) : undefined;
  const name = typeof frame.file_path === 'string' ? frame.file_path : '';
  const picture = named(name);
  const mask = named(frame.mask_path) ?? (picture && findMask(list, base, picture));
  const depth = named(frame.depth_file_path);
  return {
    name: name.replaceAll('\\', '/').replace(/^(\.\/)+/, ''),
    picture: picture === undefined ? undefined : byPath.get(picture),
    depth: depth === undefined ? undefined : byPath.get(depth),
    mask: mask === undefined ? undefined : byPath.get(mask),
  };
}

async function fromColmap({ root, model }: Layout & { kind: 'colmap' }, files: Files): Promise<Found> {
  const { list, byPath } = files;
  const file = ['images.bin', 'images.txt'].map((name) => joinPath(model, name)).find((path) => list.has(path))!;
  const images = parseImages(await bytesOf(files, file), file);
  const folder = pictureFolder(
    list,
    root,
    images.map((image) => image.name),
  );
  const views = images.map((image): UnderstoodView => {
    const picture = resolveName(list, folder, image.name);
    const mask = picture && findMask(list, folder === root ? root : folderOf(folder), picture);
    return {
      name: image.name,
      picture: picture === undefined ? undefined : byPath.get(picture),
      mask: mask === undefined ? undefined : byPath.get(mask),
      test: false,
      camera: sketchColmap(image),
    };
  });
  return { layout: 'colmap', title: 'COLMAP model', cameras: 'given', views };
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
  const { views, findings } = result;
  const lost = views.filter((v) => !v.picture);
  if (lost.length > 0) {
    const names = lost.slice(0, 3).map((v) => v.name);
    findings.push(
      missing(
        `${lost.length} of ${views.length} pictures are not there: ${names.join(', ')}${lost.length > 3 ? ' …' : ''}.`,
        'Drop the whole folder, with the pictures that the camera file names.',
      ),
    );
  }
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
      message: 'There are no masks: the object will be told from a plain background, if it has one.',
    });
  }
  result.complete = !findings.some((f) => f.severity === 'missing') && views.length > 0;
  return result;
}
