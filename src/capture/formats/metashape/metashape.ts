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
  const views: StatedView[] = [];
  const unsolved: string[] = [];
  for (const camera of all(chunk, 'camera')) {
    const { label = '', sensor_id: sensorId, component_id: componentId, enabled } = camera.attributes;
    const transform = child(camera, 'transform');
    const lens = lenses.get(sensorId);
    if (!transform || !lens || /^(0|false)$/i.test(enabled ?? '')) {
      unsolved.push(label);
      continue;
    }
    const t = words(transform.text, 16, `the transform of ${label}`, where);
    const inComponent = poseOf([t[0], t[1], t[2], t[4], t[5], t[6], t[8], t[9], t[10]], [t[3], t[7], t[11]]);
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
  const f = numberOf(child(calibration, 'f')?.text ?? child(calibration, 'fy')?.text, `f of ${of}`, file);
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
