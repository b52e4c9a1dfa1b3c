import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PlinthError } from '../core/errors.js';
import { formatProfile, type Profile, profileTrace } from '../gpu/runtime/profile.js';

/**
 * What to do with the profile of a reconstruction where the environment variable `PLINTH_PROFILE` asks for one: `1`
 * prints the table on the standard error; a file's name also writes the trace there, in place of an earlier one.
 * Undefined where the variable is not set.
 */
export function profileFromEnvironment(): ((profile: Profile) => void) | undefined {
  const value = process.env.PLINTH_PROFILE;
  if (!value) return undefined;
  const file = value === '1' ? undefined : checkedTraceFile(value, 'PLINTH_PROFILE');
  return (profile) => reportProfile(profile, file);
}

/** Prints the table on the standard error, and writes the trace where a file is named. */
export function reportProfile(profile: Profile, file: string | undefined): void {
  process.stderr.write(`${formatProfile(profile)}\n`);
  if (file === undefined) return;
  try {
    writeFileSync(file, JSON.stringify(profileTrace(profile)));
  } catch (error) {
    throw new PlinthError('OUTPUT_NOT_WRITABLE', {
      found: `The trace ${file} could not be written: ${(error as Error).message}`,
      subject: file,
      cause: error,
    });
  }
  process.stderr.write(`\nTrace (for ui.perfetto.dev or chrome://tracing): ${file}\n`);
}

/**
 * The path of a trace file to be, absolute. Throws `OPTION_INVALID` where no such file can be: before the work, not
 * after it.
 */
export function checkedTraceFile(file: string, option: string): string {
  const path = resolve(file);
  const folder = existsSync(path) && statSync(path).isDirectory();
  if (!folder && existsSync(dirname(path))) return path;
  throw new PlinthError('OPTION_INVALID', {
    found: folder ? `${option}: ${path} is a folder` : `${option}: there is no folder ${dirname(path)}`,
    expected: 'a file in a folder that exists',
    subject: option,
  });
}
