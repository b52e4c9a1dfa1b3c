import type { Command } from 'commander';

/** Where the service that is managed keeps its data. */
export interface Place {
  config?: string;
  data?: string;
  databaseUrl?: string;
  json?: boolean;
}

/** Gives a command the flags that say where. */
export const withPlace = (command: Command): Command =>
  command
    .option('--config <file>', 'settings file of the service')
    .option('--data <folder>', 'data folder of the service (PLINTH_DATA)')
    .option('--database-url <url>', 'PostgreSQL of the service (DATABASE_URL)')
    .option('--json', 'print as JSON');
