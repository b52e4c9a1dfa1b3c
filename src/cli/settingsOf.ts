import type { Command } from 'commander';
import { describeSettings, type LoadedSettings, loadSettings } from '../server/settings.js';
import { settingOption } from './serviceSettings.js';

/** The settings that the command's flags, the environment and the settings file make. @throws `SETTINGS_INVALID` */
export function settingsOf(command: Command): LoadedSettings {
  const given = command.opts<Record<string, unknown>>();
  const flags = Object.fromEntries(
    describeSettings().map(({ path, flag }) => [path, given[settingOption(flag, '').attributeName()]]),
  );
  return loadSettings({ flags, file: given.config as string | undefined });
}
