import { throwIfCancelled } from './errors.js';

/** The event loop's own way to run something after waiting events: Node has it, browsers have not. */
const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };

/**
 * Lets waiting events through between two steps that take long (a signal, a message, a timer, another request), so that work can be
 * cancelled and a service stays responsive. Throws `CANCELLED` if `signal` is aborted by then.
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  await (setImmediate ? new Promise<void>((resolve) => setImmediate(resolve)) : nextMessage());
  throwIfCancelled(signal);
}

let channel: InstanceType<typeof MessageChannel> | undefined;
const waiting: (() => void)[] = [];

/**
 * Resolves with the next message event, as browsers have no `setImmediate` and hold nested timers back by 4 ms. Not for Node: it hands up
 * to 1000 messages out before it looks at timers and signals, so a cancellation would wait for as many pauses.
 */
export function nextMessage(): Promise<void> {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
    // In Node, where only the test comes here, an open port would keep the process alive.
    (channel.port1 as { unref?: () => void }).unref?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(undefined);
  });
}
