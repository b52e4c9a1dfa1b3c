import { describe, expect, it } from 'vitest';
import { Golden } from '../../../test/goldens.js';
import { preparePhoto } from './preprocess.js';

describe('a photo cut to its object', () => {
  it('is the reference’s to one step of a byte, in all but a few values', async () => {
    const golden = await Golden.open('modules/preprocess');
    let values = 0;
    let different = 0;
    for (let i = 0; i < 4; i++) {
      const { shape, data } = golden.tensor(`in.photo${i}`);
      const [height, width] = shape;
      const prepared = preparePhoto({ width, height, data: Uint8Array.from(data) }, 70);
      const wanted = golden.data(`out.photo${i}`);
      expect(prepared?.data).toHaveLength(wanted.length);
      const steps = [...wanted].map((x, at) => Math.abs(x - (prepared?.data[at] ?? Number.NaN)));
      expect(Math.max(...steps), `photo ${i}`).toBeLessThanOrEqual(1);
      different += steps.filter((step) => step > 0).length;
      values += steps.length;
    }
    expect(different / values).toBeLessThanOrEqual(0.015);
  });

  it('is nothing where nothing is opaque', async () => {
    const golden = await Golden.open('modules/preprocess');
    const [height, width] = golden.tensor('in.noforeground').shape;
    const data = Uint8Array.from(golden.data('in.noforeground'));
    expect(preparePhoto({ width, height, data }, 70)).toBeUndefined();
  });
});
