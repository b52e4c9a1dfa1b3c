import { z } from 'zod';

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is refused
const NO_NUL = /^[^\u0000]*$/;

/** Words that are stored: the database holds no NUL. */
export const storedText = (longest: number): z.ZodString => z.string().max(longest).regex(NO_NUL, 'holds NUL');
