import type { Warning } from '../../../core/context.js';
import { multiply } from '../../../core/math.js';
import { invalidMetadata } from '../../layout/metadata.js';
import { fileName } from '../../layout/names.js';
import { withoutScale } from '../../layout/poses.js';
import type { StatedIntrinsics } from '../../layout/statedIntrinsics.js';
import { swapAxes } from '../axes.js';
import { demandViews, notSolved, numberOf, poseOf, type ReadExport, textOf } from '../exportFile.js';
import type { StatedView } from '../stated.js';
import { all, child, parseXml, type XmlElement } from '../xml.js';

/**
 * Reads the cameras that Agisoft Metashape exports as XML (File, Export, Export Cameras). A camera's transform leads
 * from the camera (x right, y down, z forwards) to its component's frame, a component's to the chunk's. Lenses are
 * those of the Metashape manual, appendix D: offsets of the principal point from the picture's middle, tangential terms
 * with P1 and P2 the other way round than OpenCV, fx = f + b1.
 *
 * In a multi-camera system only the master's camera has a transform: that of a slave (`master_id`) follows from the
 * rotation and location of its sensor, which lead from the slave to the master.
 */
export const readMetashape: ReadExport = async (source) => {
  const where = source.list.locate(source.file);
  let document: XmlElement;
  try {
    document = parseXml(await textOf(source, source.file));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidMetadata(where, `it is no XML document (${why})`, 'cameras exported by Metashape', cause);
  }
  const chunks = all(document, 'chunk').filter((chunk) => all(chunk, 'camera').length > 0);
  const [chunk] = chunks;
  const warnings: Warning[] = [];
  if (!chunk) demandViews([], where, 'Metashape');
  if (chunks.length > 1) {
    warnings.push({
      code: 'CAPTURE_OTHER_MODELS',
      message: `${fileName(source.file)} has ${chunks.length} chunks with cameras; the first was read.`,
      subject: where,
      remedy: 'Merge the chunks, or export the one that is meant.',
    });
  }
  const lenses = new Map(all(chunk, 'sensor').map((sensor) => [sensor.attributes.id, sensor]));
  const components = new Map(all(chunk, 'component').map((component) => [component.attributes.id, component]));
  // What has no label is of no picture.
  const cameras = all(chunk, 'camera').filter(({ attributes }) => attributes.label);
  const masters = new Map(cameras.map((camera) => [camera.attributes.id, camera]));
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  for (const camera of cameras) {
    const { label = '', sensor_id: sensorId, enabled, master_id: masterId } = camera.attributes;
    const lens = lenses.get(sensorId);
    const own = child(camera, 'transform');
    // A slave stands by its master.
    const master = own ? undefined : masters.get(masterId ?? '');
    const transform = own ?? child(master, 'transform');
    const place = master && lens && placeOfSlave(lens, where);
    const componentId = camera.attributes.component_id ?? master?.attributes.component_id;
    if (!transform || !lens || (master && !place) || /^(0|false)$/i.test(enabled ?? '')) {
      unsolved.push(label);
      continue;
    }
    const t = words(transform.text, 16, `the transform of ${label}`, where);
    const stated = poseOf([t[0], t[1], t[2], t[4], t[5], t[6], t[8], t[9], t[10]], [t[3], t[7], t[11]]);
    const inComponent = place ? multiply(stated, place) : stated;
    const component = child(components.get(componentId ?? ''), 'transform');
    const placed = component ? multiply(similarity(component, where), inComponent) : inComponent;
    views.push({
      picture: label,
      intrinsics: intrinsicsOf(lens, where),
      cameraToInput: swapAxes(withoutScale(placed).matrix),
      split: 'train',
      file: source.file,
    });
  }
  demandViews(views, where, 'Metashape');
  const left = notSolved(unsolved, source.file);
  return {
    file: source.file,
    views,
    up: 'cameras',
    orient: false,
    labels: true,
    ...left,
    warnings: [...warnings, ...left.warnings],
  };
};

const words = (text: string, count: number, what: string, file: string): number[] => {
  const values = text
    .trim()
    .split(/\s+/)
    .map((word) => numberOf(word, what, file));
  if (values.length === count) return values;
  throw invalidMetadata(file, `${what} has ${values.length} numbers`, `${count} numbers`);
};

/** From a slave to its master; undefined where the sensor does not say. */
function placeOfSlave(sensor: XmlElement, file: string): number[] | undefined {
  const rotation = child(sensor, 'rotation');
  const location = child(sensor, 'location') ?? child(sensor, 'translation');
  if (!rotation && !location) return undefined;
  return poseOf(
    words(rotation?.text ?? '1 0 0 0 1 0 0 0 1', 9, 'the rotation of a slave', file),
    words(location?.text ?? '0 0 0', 3, 'the location of a slave', file),
  );
}

/** A component's place in its chunk: rotation, translation and scale. */
function similarity(transform: XmlElement, file: string): number[] {
  const text = (name: string, other: string): string => child(transform, name)?.text ?? other;
  const r = words(text('rotation', '1 0 0 0 1 0 0 0 1'), 9, 'the rotation of a component', file);
  const t = words(text('translation', '0 0 0'), 3, 'the translation of a component', file);
  const [s] = words(text('scale', '1'), 1, 'the scale of a component', file);
  return poseOf(
    r.map((v) => v * s),
    t,
  );
}

/** Focal length in pixels of a sensor that was not calibrated, by its nominal one and the size of its pixels. */
function nominalFocal(sensor: XmlElement): number | undefined {
  const property = (name: string): number =>
    Number(all(sensor, 'property').find(({ attributes }) => attributes.name === name)?.attributes.value);
  const focal = property('focal_length') / property('pixel_width');
  return focal > 0 && Number.isFinite(focal) ? focal : undefined;
}

function intrinsicsOf(sensor: XmlElement, file: string): StatedIntrinsics {
  const calibrations = sensor.children.filter((inner) => inner.name === 'calibration');
  const calibration = calibrations.find((c) => c.attributes.class === 'adjusted') ?? calibrations[0];
  const resolution = child(calibration, 'resolution') ?? child(sensor, 'resolution');
  const of = `the sensor ${sensor.attributes.label ?? sensor.attributes.id}`;
  const width = numberOf(resolution?.attributes.width, `the width of ${of}`, file);
  const height = numberOf(resolution?.attributes.height, `the height of ${of}`, file);
  const value = (name: string): number => {
    const text = child(calibration, name)?.text;
    return text === undefined ? 0 : numberOf(text, `${name} of ${of}`, file);
  };
  const f = numberOf(
    child(calibration, 'f')?.text ?? child(calibration, 'fy')?.text ?? nominalFocal(sensor),
    `f of ${of}`,
    file,
  );
  const type = sensor.attributes.type ?? calibration?.attributes.type ?? 'frame';
  if (!/^(frame|fisheye)$/.test(type)) {
    throw invalidMetadata(file, `${of} is of the type ${type}`, 'a frame or fisheye camera');
  }
  return {
    width,
    height,
    fx: f + value('b1'),
    fy: f,
    cx: width / 2 + value('cx'),
    cy: height / 2 + value('cy'),
    model: type === 'fisheye' ? 'fisheye' : 'brown',
    k: [value('k1'), value('k2'), value('k3'), value('k4')],
    p: [value('p2'), value('p1')],
  };
}
