/**
 * The thread in which the embedded PostgreSQL runs. It does one thing after the other, as its single connection
 * demands.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';

export type ToDatabase = { id: number } & (
  | { type: 'open' }
  | { type: 'run'; text: string; values?: unknown[] }
  | { type: 'listen'; channel: string }
  | { type: 'close' }
);

export type FromDatabase =
  | { type: 'rows'; id: number; rows: object[] }
  /** `code` is PostgreSQL's SQLSTATE. */
  | { type: 'error'; id: number; message: string; code?: string }
  | { type: 'notify'; channel: string; payload: string };

const port = parentPort!;
const send = (message: FromDatabase): void => port.postMessage(message);
let db: PGlite | undefined;

async function act(message: ToDatabase): Promise<object[]> {
  switch (message.type) {
    case 'open':
      db = await PGlite.create(workerData.data as string, { extensions: { pg_trgm } });
      return [];
    case 'run': {
      // Statements with values go through the extended protocol, which takes one; texts without may hold several.
      if (message.values?.length) return (await db!.query<object>(message.text, message.values)).rows;
      return (await db!.exec(message.text)).flatMap((result) => result.rows as object[]);
    }
    case 'listen': {
      const { channel } = message;
      await db!.listen(channel, (payload) => send({ type: 'notify', channel, payload }));
      return [];
    }
    case 'close':
      await db?.close();
      return [];
  }
}

let last: Promise<void> = Promise.resolve();
port.on('message', (message: ToDatabase) => {
  last = last.then(() =>
    act(message).then(
      (rows) => send({ type: 'rows', id: message.id, rows }),
      (error: Error & { code?: string }) =>
        send({ type: 'error', id: message.id, message: error.message, code: error.code }),
    ),
  );
});
