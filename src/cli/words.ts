import type { RemedyWords } from '../core/remedy.js';
import { environmentName, flagName } from '../server/settingNames.js';

/** Flags that are not called like their option. */
const FLAGS: Record<string, string> = { output: '-o', formats: '--formats' };
/** Settings of `plinth serve` and `plinth worker` in the place of options of the other commands. */
const SERVICE: Record<string, string> = {
  adapter: 'worker.adapters',
  maxPixels: 'limits.pixels',
  maxArchiveBytes: 'limits.unpackedBytes',
  maxArchiveEntries: 'limits.files',
};

const flagOf = (name: string): string => FLAGS[name] ?? flagName(name);

/** How the command line calls things: flags, `plinth` commands, and settings by flag or environment variable. */
export function cliWords(command: string | undefined): RemedyWords {
  const service = command === 'serve' || command === 'worker';
  const flag = (name: string, value: string | undefined): string => (value === undefined ? name : `${name} ${value}`);
  return {
    option: (name, value) =>
      service && SERVICE[name] ? flag(flagName(SERVICE[name]), value) : flag(flagOf(name), value),
    methodOption: (name, value) => `--option ${name}=${value ?? '…'}`,
    command: (name) => `\`plinth ${name}\``,
    setting: (name, value) =>
      service ? flag(flagName(name), value) : `${environmentName(name)}${value === undefined ? '' : `=${value}`}`,
  };
}

/** Words for the command that runs. */
export const CLI_WORDS = cliWords(process.argv[2]);
