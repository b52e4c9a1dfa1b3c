import { type Command, Option } from 'commander';

/** The flag of a setting. */
export const settingOption = (flag: string, description: string): Option => new Option(`${flag} [value]`, description);

/**
 * Gives a command `--config` and a flag for every setting of the service. The settings are loaded only where the
 * command line names the command.
 */
export async function addSettings(command: Command): Promise<Command> {
  command.option('--config <file>', 'settings file; default: PLINTH_CONFIG, else plinth.config.json if it is there');
  if (!process.argv.includes(command.name())) return command;
  const { describeSettings } = await import('../server/settings.js');
  command.optionsGroup('Settings, also from the environment and the settings file:');
  for (const { flag, environment, description, default: initial } of describeSettings()) {
    const words = initial === undefined ? '' : ` Default: ${JSON.stringify(initial)}.`;
    command.addOption(settingOption(flag, `${description}${words} (${environment})`));
  }
  return command;
}
