import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../src/api/client.js';
import { afterEvent, IDLE, pauseAfter, type SendEvent, type Sending } from './sending.js';

const happened = (...events: SendEvent[]): Sending => events.reduce(afterEvent, IDLE);
const arrived = (received: number, at: number): SendEvent => ({ type: 'arrived', id: 'u1', received, bytes: 1000, at });
const BEGUN: SendEvent = { type: 'begun', bytes: 1000 };

describe('the sending of a capture', () => {
  it('counts what arrives and tells what is left by the pace of this connection', () => {
    const state = happened(BEGUN, { type: 'connecting' }, arrived(0, 0), arrived(250, 9_999));
    expect(state).toMatchObject({ phase: 'sending', upload: 'u1', received: 250, bytes: 1000, lost: false });
    expect(state.left).toBeCloseTo(30, 6);
    // A new connection begins a new pace: the pause between them was no sending.
    const again = [
      state,
      { type: 'lost' },
      { type: 'connecting' },
      arrived(250, 60_000),
      arrived(500, 60_999),
    ] as const;
    const resumed = again.slice(1).reduce<Sending>((s, e) => afterEvent(s, e as SendEvent), state);
    expect(resumed.left).toBeCloseTo(2, 6);
  });

  it('waits longer every time that nothing more arrives, and begins anew once something does', () => {
    let state = happened(BEGUN, arrived(100, 0));
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      state = afterEvent(state, { type: 'lost' });
      pauses.push(pauseAfter(state));
      state = afterEvent(state, { type: 'connecting' });
      state = afterEvent(state, arrived(100, i));
    }
    expect(pauses).toEqual([1, 2, 4, 8, 15, 15]);
    state = afterEvent(state, arrived(200, 10));
    expect(pauseAfter(afterEvent(state, { type: 'lost' }))).toBe(1);
  });

  it('says that the connection is lost until something arrives again', () => {
    const lost = happened(BEGUN, arrived(100, 0), { type: 'lost' });
    expect(lost).toMatchObject({ phase: 'sending', lost: true, received: 100, left: undefined });
    expect(afterEvent(lost, { type: 'connecting' }).lost).toBe(true);
    expect(afterEvent(lost, arrived(100, 5)).lost).toBe(false);
  });

  it('keeps what arrived through a pause and a fault of the service, but not what the service refused', () => {
    const half = happened(BEGUN, arrived(500, 0));
    expect(afterEvent(half, { type: 'paused' })).toEqual({ ...IDLE, upload: 'u1' });
    const fault = new ApiError(500, { code: 'INTERNAL', detail: 'a defect' });
    expect(afterEvent(half, { type: 'failed', error: fault })).toEqual({ ...IDLE, upload: 'u1', error: fault });
    const refusal = new ApiError(422, { code: 'CAPTURE_NO_CAMERAS', detail: 'no cameras' });
    expect(afterEvent(half, { type: 'failed', error: refusal })).toEqual({ ...IDLE, error: refusal });
    // Sending again forgets the error and goes on with the same upload.
    const again = afterEvent({ ...IDLE, upload: 'u1', error: fault }, BEGUN);
    expect([again.upload, again.error, again.phase]).toEqual(['u1', undefined, 'sending']);
  });
});
