import { throwIfCancelled } from './errors.js';

/** The event loop's own way to run something after waiting events: Node has it, browsers have not. */
const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };

/**
 * Lets waiting events through between two steps that take long (a signal, a message, a timer, another request), so that
 * work can be cancelled and a service stays responsive. Throws `CANCELLED` if `signal` is aborted by then.
 */
export async function pause(signal?: AbortSignal): Promise<void> {
  await (setImmediate ? new Promise<void>((resolve) => setImmediate(resolve)) : nextMessage());
  throwIfCancelled(signal);
}

/** What is used of a message port, in Node and in browsers. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
  /** In Node, where only the test comes here, a listening port would keep the process alive. */
  unref?(): void;
}

let channel: { port1: Port; port2: Port } | undefined;
const waiting: (() => void)[] = [];

/**
 * Resolves with a message event, as browsers have no `setImmediate` and hold nested timers back by 4 ms. Not for Node:
 * it hands up to 1000 messages out before it looks at timers and signals, so a cancellation would wait for as many
 * pauses.
 */
export function nextMessage(): Promise<void> {
  if (!channel) {
    channel = new MessageChannel() as unknown as { port1: Port; port2: Port };
    channel.port1.onmessage = () => waiting.shift()?.();
    channel.port1.unref?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}
