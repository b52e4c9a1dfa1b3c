const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const stop = (): never => process.exit(0);
let starting = false;

/**
 * Lets SIGTERM and Ctrl-C end the process with 0 until it has handlers of its own. The first process of a container
 * ignores signals without a handler, so that it could not be stopped while modules are loaded and the GPU is checked.
 */
export function stopWhileStarting(): void {
  starting = true;
  for (const signal of SIGNALS) if (!process.listeners(signal).includes(stop)) process.on(signal, stop);
}

/** To be called when the start is over. */
export function hasStarted(): void {
  starting = false;
  const leave = (): void => {
    if (!starting) for (const signal of SIGNALS) process.off(signal, stop);
  };
  // A signal that came while modules were loaded is told in the next turn of the event loop, and is lost where the
  // last listener left before: the one after the next check is past it.
  setImmediate(() => setImmediate(leave));
}
