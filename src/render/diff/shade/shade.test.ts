import { describe, expect, it } from 'vitest';
import { image } from '../../../../test/asset.js';
import { useGpu } from '../../../../test/gpu.js';
import { sphere } from '../../../../test/shapes.js';
import type { Asset } from '../../../core/asset.js';
import type { Camera } from '../../../core/camera.js';
import { lookAt } from '../../../core/math.js';
import { computeNormals } from '../../../geometry/mesh/normals.js';
import { computeTangents } from '../../../geometry/mesh/tangents.js';
import { AssetRenderer } from '../../forward/assetRenderer.js';
import { NEUTRAL_STUDIO, paintStudio } from '../../forward/studio.js';
import { createFrame } from '../frame.js';
import { recordAntialias } from '../geometry/antialias.js';
import { createDiffCameras } from '../geometry/cameras.js';
import { recordGeometry } from '../geometry/geometry.js';
import { createDiffMesh } from '../geometry/mesh.js';
import { recordNormals } from '../geometry/normals.js';
import { createDiffLight, lightToEquirectangular, recordLight } from '../light/light.js';
import type { DiffScene } from '../types.js';
import { createEmptyMaterial, packMaterial, recordMaterialMips } from './material.js';
import { recordShade } from './shade.js';

const gpu = useGpu();

function camera(size: number): Camera {
  const f = size * 1.3;
  const cameraToWorld = lookAt([1.6, 1.1, 2.2], [0, 0, 0]);
  return { cameraToWorld, width: size, height: size, fx: f, fy: f, cx: size / 2, cy: size / 2 };
}

/** A sphere with latitude–longitude coordinates away from its seam, smooth maps and tangents. */
async function asset(): Promise<Asset> {
  const mesh = sphere(4);
  const uvs = new Float32Array((mesh.positions.length / 3) * 2);
  for (let i = 0; i < uvs.length / 2; i++) {
    uvs[i * 2] = 0.5 + 0.4 * mesh.positions[i * 3];
    uvs[i * 2 + 1] = 0.5 - 0.4 * mesh.positions[i * 3 + 1];
  }
  const front = Array.from({ length: mesh.indices.length / 3 }, (_, t) => [...mesh.indices.subarray(t * 3, t * 3 + 3)]);
  const indices = Uint32Array.from(front.filter((t) => t.every((v) => mesh.positions[v * 3 + 2] >= 0)).flat());
  const open = { ...mesh, normals: computeNormals(mesh), uvs, indices };
  return {
    mesh: await computeTangents(open),
    material: {
      kind: 'pbr',
      baseColor: image(64, (x, y) => [60 + 180 * x, 200 - 150 * y, 128]),
      occlusionRoughnessMetallic: image(64, (x, y) => [200 + 50 * y, 60 + 190 * x, 255 * y]),
      normal: image(64, (x, y) => [128 + 40 * Math.sin(9 * x), 128 + 40 * Math.sin(7 * y), 240]),
    },
  };
}

async function render(source: Asset, size: number): Promise<{ color: Float32Array; light: DiffScene['light'] }> {
  const { material } = source;
  const light = await createDiffLight(gpu(), paintStudio(NEUTRAL_STUDIO));
  const scene: DiffScene = {
    mesh: createDiffMesh(gpu(), source.mesh),
    cameras: createDiffCameras(gpu(), [camera(size)], [0, 0, 0], 1.5),
    material: createEmptyMaterial(gpu(), material.baseColor.width, material.baseColor.height),
    light,
  };
  gpu().write(scene.material.texels, packMaterial(material));
  const { positionCount, triangleCount } = scene.mesh;
  const frame = createFrame(gpu(), { width: size, height: size, capacity: 1, positionCount, triangleCount });
  frame.views = [0];
  const batch = gpu().batch();
  recordMaterialMips(batch, scene.material);
  recordNormals(batch, scene.mesh);
  recordLight(batch, light);
  recordGeometry(batch, scene, frame);
  recordShade(batch, scene, frame, { lodBias: -8 });
  recordAntialias(batch, scene.mesh, frame);
  batch.submit();
  return { color: await gpu().readFloat32(frame.antialiased, size * size * 4), light };
}

describe('shade', () => {
  it('shows what the forward renderer shows of the same asset and light', async () => {
    const size = 160;
    const source = await asset();
    const { color, light } = await render(source, size);
    const parameters = await gpu().readFloat32(light!.parameters, 6 * 32 * 32 * 3);
    const forward = await AssetRenderer.create(gpu(), {
      ...source,
      environment: lightToEquirectangular(parameters, 32),
    });
    const view = await forward.render(camera(size), { supersample: 1 });
    forward.dispose();
    let sum = 0;
    let worst = 0;
    let covered = 0;
    const encode = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * Math.min(1, v) ** (1 / 2.4) - 0.055) * 255;
    for (let i = 0; i < size * size; i++) {
      if (color[i * 4 + 3] !== 1 || view.color.data[i * 4 + 3] !== 255) continue;
      covered++;
      for (let c = 0; c < 3; c++) {
        const difference = Math.abs(encode(color[i * 4 + c]) - view.color.data[i * 4 + c]);
        sum += difference;
        worst = Math.max(worst, difference);
      }
    }
    expect(covered).toBeGreaterThan(5000);
    expect(sum / covered / 3).toBeLessThan(2);
    expect(worst).toBeLessThan(12);
  });
});
