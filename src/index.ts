/**
 * Plinth as a library.
 *
 * ```ts
 * import { readCapture, reconstruct } from 'plinth';
 *
 * const capture = await readCapture('photos/');
 * const result = await reconstruct(capture, { output: 'out', onProgress: (p) => console.log(p.title, p.overall) });
 * console.log(result.quality.verdict);
 * await capture.dispose();
 * ```
 */
export type { Capture, CaptureFormat, LoadOptions, View, ViewDepth } from './capture/capture.js';
export { captureFromViews, type ObjectCaptureOptions, type ObjectView } from './capture/captureFromViews.js';
export { inspectCapture } from './capture/inspect.js';
export type { MaskSource, ReadOptions } from './capture/options.js';
export { readCapture } from './capture/readCapture.js';
export type { SixViewOptions } from './capture/sixView/options.js';
export { ASSET_FORMATS, type Asset, type AssetFormat, type Material } from './core/asset.js';
export type { Camera } from './core/camera.js';
export type { Logger, ProgressEvent, ProgressSink, RunProgress, Warning } from './core/context.js';
export { ERROR_CODES, ERROR_KINDS, type ErrorCode, type ErrorKind, PlinthError } from './core/errors.js';
export type { ColorImage, FloatImage, HdrImage } from './core/image.js';
export type { Mat4, Vec3 } from './core/math.js';
export type { Mesh } from './core/mesh.js';
export { PRESETS, type Preset } from './core/presets.js';
export { VERSION } from './core/version.js';
export { type AdapterChoice, listAdapters } from './gpu/adapter/adapter.js';
export { openGpu } from './gpu/adapter/openGpu.js';
export { type Diagnosis, diagnose } from './gpu/doctor/doctor.js';
export { installSoftwareDriver } from './gpu/driver/softwareDriver.js';
export type { AdapterFacts } from './gpu/runtime/adapterFacts.js';
export type { Gpu } from './gpu/runtime/gpu.js';
export type { Method, MethodContext } from './methods/method.js';
export { getMethod, listMethods, optionsJsonSchema } from './methods/registry.js';
export {
  type ReconstructionResult,
  type ReconstructOptions,
  reconstruct,
} from './pipeline/reconstruct.js';
export { type AssessOptions, assess } from './quality/assess/assess.js';
export type { Assessment, QualityData } from './quality/schema.js';
export { AssetRenderer, type RenderedView, type RenderOptions } from './render/forward/assetRenderer.js';
