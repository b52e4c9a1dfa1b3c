import { expect, test } from 'vitest';
import { anyOf, command, methodOption, option, remedy, setting, step, wordRemedy } from '../core/remedy.js';
import { cliWords } from './words.js';

test('remedies name flags', () => {
  const words = cliWords('reconstruct');
  expect(wordRemedy(anyOf(step`add views`, step`lower ${option('holdout')}`), words)).toBe(
    'Add views, or lower --holdout',
  );
  expect(wordRemedy(remedy`Choose another folder with ${option('output')}`, words)).toBe(
    'Choose another folder with -o',
  );
  expect(wordRemedy(remedy`Raise ${option('maxViews')} or set ${option('masks', 'files')}`, words)).toBe(
    'Raise --max-views or set --masks files',
  );
  expect(wordRemedy(remedy`Lower ${methodOption('imageSize')}, see ${command('methods')}`, words)).toBe(
    'Lower --option imageSize=…, see `plinth methods`',
  );
  expect(wordRemedy(remedy`Set ${setting('limits.bodyBytes', '9')}`, words)).toBe('Set PLINTH_LIMITS_BODY_BYTES=9');
});

test('the service has its own flags for what options say elsewhere', () => {
  const words = cliWords('serve');
  expect(wordRemedy(remedy`Choose another with ${option('adapter')}`, words)).toBe(
    'Choose another with --worker-adapters',
  );
  expect(wordRemedy(remedy`Set ${setting('gpu.policy', 'preferred')}`, words)).toBe('Set --gpu-policy preferred');
});
