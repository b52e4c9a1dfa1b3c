const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const stop = (): never => process.exit(0);

/**
 * Lets SIGTERM and Ctrl-C end the process with 0 until it has handlers of its own. The first process of a container
 * ignores signals without a handler, so that it could not be stopped while modules are loaded and the GPU is checked.
 */
export function stopWhileStarting(): void {
  hasStarted();
  for (const signal of SIGNALS) process.on(signal, stop);
}

/** To be called when the start is over. */
export function hasStarted(): void {
  for (const signal of SIGNALS) process.off(signal, stop);
}
