import { type Command, Option } from 'commander';
import { describeSettings, type LoadedSettings, loadSettings } from '../server/settings.js';

const option = (flag: string, description: string): Option => new Option(`${flag} [value]`, description);

/** Gives a command `--config` and a flag for every setting of the service. */
export function addSettings(command: Command): Command {
  command.option('--config <file>', 'settings file; default: PLINTH_CONFIG, else plinth.config.json if it is there');
  command.optionsGroup('Settings, also from the environment and the settings file:');
  for (const { flag, environment, description, default: initial } of describeSettings()) {
    const words = initial === undefined ? '' : ` Default: ${JSON.stringify(initial)}.`;
    command.addOption(option(flag, `${description}${words} (${environment})`));
  }
  return command;
}

/** The settings that the command's flags, the environment and the settings file make. @throws `SETTINGS_INVALID` */
export function settingsOf(command: Command): LoadedSettings {
  const given = command.opts<Record<string, unknown>>();
  const flags = Object.fromEntries(
    describeSettings().map(({ path, flag }) => [path, given[option(flag, '').attributeName()]]),
  );
  return loadSettings({ flags, file: given.config as string | undefined });
}
