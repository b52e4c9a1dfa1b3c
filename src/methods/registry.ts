import { z } from 'zod';
import { PlinthError } from '../core/errors.js';
import { PRESETS, type Preset } from '../core/presets.js';
import { command, option, remedy } from '../core/remedy.js';
import { fusion } from './fusion/fusion.js';
import type { Method } from './method.js';
import { nvdiffrec } from './nvdiffrec/nvdiffrec.js';
import { reconviagen } from './reconviagen/reconviagen.js';

const METHODS: readonly Method[] = [
  fusion as unknown as Method,
  nvdiffrec as unknown as Method,
  reconviagen as unknown as Method,
];

/** All methods, the fastest first. */
export const listMethods = (): readonly Method[] => METHODS;

/** The method of that name. Throws `METHOD_UNKNOWN`. */
export function getMethod(name: string): Method {
  const method = METHODS.find((m) => m.name === name);
  if (!method) {
    throw new PlinthError('METHOD_UNKNOWN', {
      found: `There is no method "${name}"`,
      expected: METHODS.map((m) => m.name).join(', '),
      remedy: remedy`Choose one of these with ${option('method')}`,
      subject: name,
    });
  }
  return method;
}

/**
 * The options of a run: defaults, then the preset, then `overrides`. Throws `OPTION_INVALID` naming the option.
 */
export function resolveOptions(
  method: Method,
  preset: Preset,
  overrides: Record<string, unknown> = {},
): Record<string, unknown> {
  if (!PRESETS.includes(preset)) {
    throw new PlinthError('OPTION_INVALID', {
      found: `There is no preset "${preset}"`,
      expected: PRESETS.join(', '),
      subject: 'preset',
    });
  }
  const parsed = z.strictObject(method.options.shape).safeParse({ ...method.presets[preset], ...overrides });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.path.join('.');
  throw new PlinthError('OPTION_INVALID', {
    found: `Option "${name}" of method ${method.name}: ${issue.message}`,
    expected: issue.code === 'unrecognized_keys' ? `one of ${Object.keys(method.options.shape).join(', ')}` : undefined,
    remedy: remedy`See ${command('methods')} for every option with its range and default`,
    subject: name,
  });
}

/** JSON schema (draft 2020-12) of a method's options, for the service and the page. */
export const optionsJsonSchema = (method: Method): Record<string, unknown> =>
  z.toJSONSchema(method.options, { io: 'input' }) as Record<string, unknown>;
