import { expect, test } from 'vitest';
import { anyOf, command, methodOption, option, remedy, setting, step } from '../core/remedy.js';
import { failureSchema, remedyOf, toFailureResource } from './remedy.js';

test('remedies name fields, settings and addresses, and leave out what no client can choose', () => {
  expect(remedyOf(anyOf(step`add views`, step`lower ${option('holdout')}`)).remedy).toBe(
    'Add views, or lower `holdout`',
  );
  expect(remedyOf(anyOf(step`check free space`, step`choose ${option('output')}`)).remedy).toBe('Check free space');
  expect(remedyOf(remedy`Give ${option('focal')}`).remedy).toBeUndefined();
  expect(remedyOf(remedy`Raise ${option('maxPixels')}`).remedy).toBe('Raise the setting `limits.pixels`');
  expect(remedyOf(remedy`Lower ${methodOption('imageSize')}, see ${command('methods')}`).remedy).toBe(
    'Lower `options.imageSize`, see `GET /v1/methods`',
  );
  expect(remedyOf(remedy`Set ${setting('gpu.policy', 'off')}`).remedy).toBe('Set the setting `gpu.policy: off`');
});

test('a failure carries its remedy in words and as data', () => {
  const failure = toFailureResource({ code: 'INTERNAL', message: 'm', remedy: remedy`Lower ${option('holdout')}` });
  expect(failureSchema.parse(JSON.parse(JSON.stringify(failure)))).toEqual({
    code: 'INTERNAL',
    message: 'm',
    remedy: 'Lower `holdout`',
    remedySteps: [['Lower ', { option: 'holdout' }]],
  });
  expect(toFailureResource({ code: 'INTERNAL', message: 'm', remedy: 'Words' })).toEqual({
    code: 'INTERNAL',
    message: 'm',
    remedy: 'Words',
  });
});
