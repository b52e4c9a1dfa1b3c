import { useEffect, useReducer, useRef } from 'react';
import { api, type JobRequest, type NamedFile } from '../../api.js';
import { go } from '../../route.js';
import { begunUpload, rememberUpload } from './interruptedUpload.js';
import { sendFiles } from './sendFiles.js';
import { afterEvent, IDLE, isRefusal, type SendEvent, type Sending } from './sending.js';

/** What a job is made of: files to send, or an example that the service has. */
export type Sendable = { files: NamedFile[]; bytes: number } | { example: string };

export interface SendControl {
  state: Sending;
  /** Sends, submits, and goes to the job. */
  send(what: Sendable, request: JobRequest & { name: string }): Promise<void>;
  pause(): void;
  /** Stops, and has the service throw away what arrived. */
  abandon(): void;
}

const wait = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Runs the sending of a capture against the service; leaving the page stops it. */
export function useSending(): SendControl {
  const [state, dispatch] = useReducer(afterEvent, IDLE);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  const submit = async (what: Sendable, request: JobRequest & { name: string }, signal: AbortSignal) => {
    const bytes = 'files' in what ? what.bytes : 1;
    const begun: SendEvent = { type: 'begun', bytes };
    dispatch(begun);
    if ('example' in what) return await api.submitStored({ example: what.example }, request);
    const ports = { service: api, begun: begunUpload, remember: rememberUpload, now: Date.now, wait };
    const start = afterEvent(state, begun);
    const id = await sendFiles(what.files, request.name, start, ports, dispatch, signal);
    const job = await api.submitStored({ upload: id }, request, id);
    rememberUpload(undefined);
    return job;
  };

  return {
    state,
    async send(what, request) {
      const stopping = new AbortController();
      stop.current = stopping;
      try {
        go('jobs', (await submit(what, request, stopping.signal)).id);
      } catch (error) {
        if (isRefusal(error)) rememberUpload(undefined);
        dispatch(stopping.signal.aborted ? { type: 'paused' } : { type: 'failed', error });
      }
    },
    pause: () => stop.current?.abort(),
    abandon() {
      stop.current?.abort();
      if (!state.upload) return;
      void api.abandonUpload(state.upload).catch(() => {});
      rememberUpload(undefined);
    },
  };
}
