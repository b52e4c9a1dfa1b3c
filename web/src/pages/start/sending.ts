import { ApiError } from '../../../../src/api/client.js';

/** Pauses before trying again after a lost connection, seconds. */
const PAUSES = [1, 2, 4, 8, 15];

/** How far the sending of a capture is. */
export interface Sending {
  phase: 'idle' | 'sending';
  /** Id of the upload that holds what arrived; kept while it can be gone on with. */
  upload?: string;
  received: number;
  bytes: number;
  /** Seconds that the rest takes at the pace so far. */
  left?: number;
  /** The connection is lost; it is tried again by itself. */
  lost: boolean;
  /** Times that nothing more arrived in a row. */
  tries: number;
  /** When this connection began to bring something, and how much had arrived by then. */
  since?: { at: number; received: number };
  error?: unknown;
}

export const IDLE: Sending = { phase: 'idle', received: 0, bytes: 0, lost: false, tries: 0 };

export type SendEvent =
  | { type: 'begun'; bytes: number }
  | { type: 'connecting' }
  /** `at` in milliseconds. */
  | { type: 'arrived'; id: string; received: number; bytes: number; at: number }
  | { type: 'lost' }
  | { type: 'paused' }
  | { type: 'failed'; error: unknown };

/** The state after an event. Pure: whoever sends tells what happens, the page shows what comes of it. */
export function afterEvent(state: Sending, event: SendEvent): Sending {
  switch (event.type) {
    case 'begun':
      return { ...IDLE, phase: 'sending', upload: state.upload, bytes: event.bytes };
    case 'connecting':
      return { ...state, since: undefined };
    case 'arrived': {
      const { id, received, bytes, at } = event;
      const since = state.since ?? { at, received };
      const pace = (received - since.received) / (at - since.at + 1);
      const left = pace > 0 ? (bytes - received) / pace / 1000 : undefined;
      const tries = received > since.received ? 0 : state.tries;
      return { ...state, upload: id, received, bytes, since, left, tries, lost: false };
    }
    case 'lost':
      return { ...state, lost: true, left: undefined, tries: state.tries + 1 };
    case 'paused':
      return { ...IDLE, upload: state.upload };
    case 'failed':
      // What the service refused as a capture is no better for being sent again.
      return { ...IDLE, upload: isRefusal(event.error) ? undefined : state.upload, error: event.error };
  }
}

/** Seconds to wait after the connection was lost. */
export const pauseAfter = ({ tries }: Sending): number => PAUSES[Math.min(Math.max(tries - 1, 0), PAUSES.length - 1)];

/** Whether an error comes of the connection, so that trying again may help. */
export const isLost = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof ApiError && error.status >= 502);

/** Whether the service looked at what was sent and does not want it. */
export const isRefusal = (error: unknown): boolean => error instanceof ApiError && error.status < 500;
