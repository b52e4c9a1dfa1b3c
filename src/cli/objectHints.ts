import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { PlinthError } from '../core/errors.js';
import type { ObjectHints } from '../object/hints.js';
import type { ObjectFlags } from './captureOptions.js';

/** @throws OPTION_INVALID for a file that is not there or holds something else */
export async function objectHints({ box, rectangles }: ObjectFlags): Promise<ObjectHints> {
  if (rectangles === undefined) return { box };
  const expected = 'a JSON object with [left, top, right, bottom] in pixels for names of pictures';
  const text = await readFile(rectangles, 'utf8').catch((cause: Error) => {
    throw new PlinthError('OPTION_INVALID', { found: cause.message, expected, subject: 'rectangles' });
  });
  const parsed = z
    .record(z.string(), z.tuple([z.number(), z.number(), z.number(), z.number()]))
    .safeParse(jsonOf(text));
  if (parsed.success) return { box, rectangles: parsed.data };
  throw new PlinthError('OPTION_INVALID', {
    found: `${rectangles} holds something else`,
    expected,
    subject: 'rectangles',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
