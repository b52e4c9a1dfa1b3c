import { describe, expect, it } from 'vitest';
import { renderSixViews, type SceneView, type SixViewScene, SOLIDS } from '../../../../test/sixViewScenes.js';
import { cleanDepth } from '../cleanDepth.js';
import { estimateSilhouettes } from '../estimateSilhouettes.js';
import { resolveSixViewOptions } from '../options.js';
import { estimateRig, type RigEstimate } from './estimateRig.js';
import { rigPose, viewAxes } from './rig.js';
import { makeViewGrid, type ViewGrid } from './viewGrid.js';

/** Two pixels a cell, so that values are means of four, as they are of sixteen in real captures. */
const CELLS = 128;

function gridOf(view: SceneView, withDepth = true, cells = CELLS): ViewGrid {
  const { size } = view;
  const clean = cleanDepth({ width: size, height: size, data: Float32Array.from(view.values) });
  const depth = { width: size, height: size, data: clean.values.data.map((v) => v / 255) };
  return makeViewGrid(
    view.name,
    { width: size, height: size, data: clean.inside },
    withDepth ? depth : undefined,
    cells,
  );
}

/** Mean absolute error of the estimated distances, as a share of the object's diagonal. */
function depthError(views: readonly SceneView[], estimate: RigEstimate, focal: number): number {
  const { a, b, model } = estimate.parameters;
  let sum = 0;
  let count = 0;
  let extent = 0;
  views.forEach((view, i) => {
    view.depth.forEach((z, q) => {
      if (z === 0) return;
      extent = Math.max(extent, (Math.abs((q % view.size) + 0.5 - view.size / 2) / view.size / focal) * z);
      const linear = (a[i] * view.values[q]) / 255 + b[i];
      sum += Math.min(extent, Math.abs((model === 'linear' ? linear : 1 / linear) - z));
      count++;
    });
  });
  return sum / count / (2 * extent * Math.sqrt(2));
}

const estimate = async (scene: SixViewScene, cells = CELLS) => {
  const views = renderSixViews(scene);
  const grids = views.map((v) => gridOf(v, true, cells));
  return { views, found: await estimateRig(grids, resolveSixViewOptions()) };
};

describe('the six views’ arrangement, focal length and depth scales', () => {
  it.each([
    ['animal', 45, 128, { left: 'object', topTurn: 3, bottomTurn: 1 }],
    // The thin wall and the handle need the finer grid that real captures get.
    ['mug', 40, 256, { left: 'viewer', topTurn: 2, bottomTurn: 0 }],
    ['plate', 60, 128, { left: 'object', topTurn: 1, bottomTurn: 3 }],
    ['face', 40, 128, { left: 'object', topTurn: 0, bottomTurn: 0 }],
  ] as const)('are found for the solid %s at a field of view of %d°', async (solid, degrees, cells, arrangement) => {
    const focal = 0.5 / Math.tan((degrees * Math.PI) / 360);
    const { views, found } = await estimate({ solid: SOLIDS[solid], focal, arrangement, seed: degrees }, cells);
    expect(found.arrangement).toEqual(arrangement);
    expect(found.inverted).toBe(false);
    expect(Math.abs(found.parameters.focal / focal - 1)).toBeLessThan(0.05);
    expect(depthError(views, found, focal)).toBeLessThan(0.01);
  });

  it.each(['nearer', 'disparity'] as const)('are found where brighter means %s', async (encoding) => {
    const focal = 1.2;
    const arrangement = { left: 'viewer', topTurn: 1, bottomTurn: 0 } as const;
    const { views, found } = await estimate({ solid: SOLIDS.animal, focal, arrangement, encoding });
    expect(found.arrangement).toEqual(arrangement);
    expect(found.inverted).toBe(true);
    expect(found.parameters.model).toBe(encoding === 'disparity' ? 'inverse' : 'linear');
    expect(depthError(views, found, focal)).toBeLessThan(0.015);
  });

  it('are told by colour where the shape is round', async () => {
    const arrangement = { left: 'object', topTurn: 2, bottomTurn: 3 } as const;
    const focal = 1.4;
    const views = renderSixViews({ solid: SOLIDS.bottle, focal, arrangement });
    const grids = views.map((v) => {
      const grid = gridOf(v);
      grid.color = paint(grid, v, focal, arrangement);
      return grid;
    });
    const found = await estimateRig(grids, resolveSixViewOptions());
    expect(found.arrangement).toEqual(arrangement);
    expect(found.colorDifference).toBeLessThan(0.1);
  });

  it('are called ambiguous where neither shape nor colour tells them', async () => {
    const arrangement = { left: 'viewer', topTurn: 1, bottomTurn: 0 } as const;
    const { found } = await estimate({ solid: SOLIDS.bottle, focal: 1.4, arrangement });
    expect(found.rivals.length).toBeGreaterThan(0);
  });

  it('keep to what the options say', async () => {
    const arrangement = { left: 'viewer', topTurn: 1, bottomTurn: 0 } as const;
    const views = renderSixViews({ solid: SOLIDS.animal, focal: 1.4, arrangement });
    const options = resolveSixViewOptions({ focal: 1.3, left: 'object', topTurn: 0, bottomTurn: 180 });
    const found = await estimateRig(
      views.map((v) => gridOf(v)),
      options,
    );
    expect(found.arrangement).toEqual({ left: 'object', topTurn: 0, bottomTurn: 2 });
    expect(found.parameters.focal).toBeCloseTo(1.3, 9);
    expect(found.focalFrom).toBe('option');
  });

  it('come with a large misfit where one view shows something else', async () => {
    const scene = { focal: 1.4, arrangement: { left: 'viewer', topTurn: 0, bottomTurn: 0 } } as const;
    const views = renderSixViews({ ...scene, solid: SOLIDS.animal });
    const others = renderSixViews({ ...scene, solid: SOLIDS.chair });
    const good = await estimateRig(
      views.map((v) => gridOf(v)),
      resolveSixViewOptions(),
    );
    const mixed = await estimateRig(
      views.map((v, i) => gridOf(i === 2 ? others[i] : v)),
      resolveSixViewOptions(),
    );
    expect(good.misfit).toBeLessThan(0.01);
    expect(mixed.misfit).toBeGreaterThan(3 * good.misfit);
  });

  it('are found from silhouettes alone, with the range of focal lengths that fits', async () => {
    const arrangement = { left: 'object', topTurn: 3, bottomTurn: 1 } as const;
    const views = renderSixViews({ solid: SOLIDS.animal, focal: 1.1, arrangement });
    const found = await estimateSilhouettes(
      views.map((v) => gridOf(v, false)),
      resolveSixViewOptions(),
    );
    expect(found.arrangement).toEqual(arrangement);
    expect(found.misfit).toBeLessThan(0.002);
    const [low, high] = found.focalRange ?? [0, 0];
    expect(low).toBeLessThan(1.1);
    expect(high).toBeGreaterThan(1.1);
  });
});

/** A print on the solid that depends on the place in the world. */
function paint(grid: ViewGrid, view: SceneView, focal: number, arrangement: SixViewScene['arrangement']): Float32Array {
  const m = rigPose(viewAxes(view.name, arrangement), 1);
  const out = new Float32Array(grid.inside.length * 3);
  const step = view.size / grid.width;
  for (let c = 0; c < grid.inside.length; c++) {
    const x = ((c % grid.width) + 0.5) * step;
    const y = (Math.floor(c / grid.width) + 0.5) * step;
    const z = view.depth[Math.floor(y) * view.size + Math.floor(x)];
    const u = (x / view.size - 0.5) / focal;
    const v = -(y / view.size - 0.5) / focal;
    for (let k = 0; k < 3; k++) {
      const w = m[k] * u * z + m[4 + k] * v * z - m[8 + k] * z + m[12 + k];
      out[c * 3 + k] = 0.5 + 0.5 * Math.sin(9 * w + k);
    }
  }
  return out;
}
