import type { Capture } from '../src/capture/capture.js';
import type { ViewRenderer } from '../src/quality/assess/assess.js';
import type { QualityInput } from '../src/quality/report/qualityJson.js';
import type { Assessment, MeshQuality } from '../src/quality/schema.js';
import { drawSphere, type SphereLook } from './sphereCapture.js';

/** A renderer that shows the sphere, right or wrong by `look`. */
export const sphereRenderer = (look: SphereLook = {}): ViewRenderer => ({
  render: async (camera) => drawSphere(camera, look),
});

export const healthyMesh: MeshQuality = {
  triangles: 3968,
  vertices: 1986,
  components: 1,
  boundaryEdges: 0,
  nonManifoldEdges: 0,
  nonManifoldVertices: 0,
  watertight: true,
  eulerCharacteristic: 2,
  genus: 0,
  inwardTriangles: 0,
  degenerateTriangles: 0,
  innerShells: 0,
  area: 12.54,
  volume: 4.17,
  bounds: { min: [-1, -1, -1], max: [1, 1, 1] },
};

export const testAdapter = {
  device: 'Test GPU',
  vendor: 'test',
  kind: 'software',
  backend: 'vulkan',
  description: 'no driver',
} as const;

/** What a pipeline would hand over for an assessment of `capture`. */
export const qualityInput = (capture: Capture, assessment: Assessment): QualityInput => ({
  assessment,
  capture,
  method: { name: 'fusion', preset: 'standard', options: { resolution: 256, textureSize: 2048 } },
  seed: 0,
  plinth: '0.1.0',
  warnings: [],
  run: {
    adapter: testAdapter,
    timings: [
      { stage: 'load', title: 'Reading pictures', seconds: 1.25 },
      { stage: 'fuse', title: 'Fusing depth', seconds: 12.5 },
    ],
    peakMemoryBytes: 800_000_000,
  },
});
