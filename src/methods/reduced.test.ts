import { expect, test } from 'vitest';
import { PRESETS } from '../core/presets.js';
import { getMethod, listMethods, resolveOptions } from './registry.js';

test('every method runs smaller with options that its schema takes, and keeps those that set no size', () => {
  for (const method of listMethods()) {
    for (const preset of PRESETS) {
      let options = resolveOptions(method, preset);
      // Four times is more than any job is tried at a smaller size; the last ones stay within the least that the schema
      // allows.
      for (let i = 0; i < 4; i++) {
        const smaller = resolveOptions(method, preset, method.reduced(options));
        const changed = Object.keys(smaller).filter((name) => smaller[name] !== options[name]);
        if (i === 0) expect(changed.length, `${method.name} ${preset}`).toBeGreaterThan(1);
        for (const name of changed) expect(smaller[name], name).toBeLessThanOrEqual((options[name] as number) / 2);
        options = smaller;
      }
    }
  }
});

test('a stated resolution is halved like an automatic one, and the least sizes stay', () => {
  const fusion = getMethod('fusion');
  const options = resolveOptions(fusion, 'standard', { resolution: 200, textureSize: 256, triangles: 777 });
  expect(fusion.reduced(options)).toEqual({ ...options, resolution: 100, maxResolution: 160, textureSize: 256 });
  const nvdiffrec = getMethod('nvdiffrec');
  const least = { batch: 1, imageSize: 64, textureSize: 128, resolution: 32 };
  const smallest = resolveOptions(nvdiffrec, 'draft', least);
  expect(nvdiffrec.reduced(smallest)).toEqual(smallest);
});
