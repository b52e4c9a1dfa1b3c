import { hasStarted } from './stopWhileStarting.js';

/**
 * The action of a command whose work is loaded when it is run: help, versions and mistyped options need no engine and
 * no service. What is loaded takes over the signals at once.
 * @param load imports the module and picks its function
 */
export const whenRun =
  <Given extends unknown[]>(load: () => Promise<(...given: Given) => Promise<void> | void>) =>
  async (...given: Given): Promise<void> => {
    const run = await load();
    hasStarted();
    await run(...given);
  };
