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
export type {
  Capture,
  CaptureFormat,
  LeftOutPart,
  LoadOptions,
  ReadMasks,
  SparsePoints,
  View,
  ViewDepth,
} from './capture/capture.js';
export { captureFromViews, type ObjectCaptureOptions, type ObjectView } from './capture/captureFromViews.js';
export type { MaskImage } from './capture/images/color.js';
export { type Inspection, inspectCapture, type LeftOutInspection, type ViewInspection } from './capture/inspect.js';
export { LEFT_OUT_REASONS, type LeftOut, type LeftOutKind, type LeftOutReason } from './capture/layout/leftOut.js';
export type { MaskSource, ReadOptions, StatedLength } from './capture/options.js';
export type { SixViewOptions } from './capture/sixView/options.js';
export { ASSET_FORMATS, type Asset, type AssetFormat, type Material } from './core/asset.js';
export type { Bounds } from './core/bounds.js';
export type { Camera } from './core/camera.js';
export type { Logger, ProgressEvent, ProgressSink, RunProgress, Warning } from './core/context.js';
export {
  ERROR_CODES,
  ERROR_KINDS,
  type ErrorCode,
  type ErrorFacts,
  type ErrorKind,
  PlinthError,
} from './core/errors.js';
export type { ColorImage, FloatImage, HdrImage } from './core/image.js';
export type { Mat4, Vec3 } from './core/math.js';
export type { Mesh } from './core/mesh.js';
export type { CheckpointStore, RunInThread, ShowPreview, ThreadHooks, ThreadTask } from './core/platform.js';
export { PRESETS, type Preset } from './core/presets.js';
export type { Random } from './core/random.js';
export type { Remedy, RemedyStep } from './core/remedy.js';
export { VERSION } from './core/version.js';
export { type AdapterChoice, listAdapters } from './gpu/adapter/adapter.js';
export { type OpenGpuOptions, openGpu } from './gpu/adapter/openGpu.js';
export type { MachineFacts, PciGpu } from './gpu/adapter/system.js';
export { type DiagnoseOptions, type Diagnosis, diagnose } from './gpu/doctor/doctor.js';
export type { Finding } from './gpu/doctor/findings.js';
export { type InstallOptions, installSoftwareDriver } from './gpu/driver/softwareDriver.js';
export type { AdapterFacts, AdapterKind } from './gpu/runtime/adapterFacts.js';
export type { Batch } from './gpu/runtime/batch.js';
export type { Gpu } from './gpu/runtime/gpu.js';
export {
  formatProfile,
  type Profile,
  type ProfileSpan,
  type ProfileStage,
  profileTrace,
  type TraceEvent,
} from './gpu/runtime/profile.js';
export type { BatchProfile, Profiler } from './gpu/runtime/profiler.js';
export type { GpuResources, TypedArray } from './gpu/runtime/resources.js';
export type { GpuHost } from './gpu/runtime/shader.js';
export type { SelfTestCheck, SelfTestReport } from './gpu/selfTest/selfTest.js';
export type { SelfTestCheckName } from './gpu/selfTest/selfTestCheck.js';
export type { Method, MethodContext, MethodStage } from './methods/method.js';
export { getMethod, listMethods, optionsJsonSchema } from './methods/registry.js';
export type { ObjectHints, Rectangle } from './object/hints.js';
export { type FindCamerasOptions, type FoundCameras, findCameras } from './photos/findCameras.js';
export type { KnownLens } from './photos/read/lenses.js';
export { readAnyCapture as readCapture } from './photos/readAnyCapture.js';
export { writeCameras } from './photos/write/writeCameras.js';
export {
  type ReconstructedParts,
  type ReconstructionResult,
  type ReconstructOptions,
  reconstruct,
  reconstructParts,
} from './pipeline/reconstruct.js';
export { type AssessHooks, type AssessOptions, assess } from './quality/assess/assess.js';
export type { Assessment, QualityData } from './quality/schema.js';
export {
  AssetRenderer,
  type RenderedView,
  type RenderMode,
  type RenderOptions,
} from './render/forward/assetRenderer.js';
export type { PlacedFile, WeightFile, WeightLicence, WeightManifest, WeightRepository } from './weights/manifest.js';
export type { Dtype, StoredTensor, TensorEntry, TensorFile } from './weights/safetensors.js';
export type { WeightFiles } from './weights/weightFiles.js';
