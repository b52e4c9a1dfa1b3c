import { listAudit } from '../../server/access/audit.js';
import { manage } from '../manage.js';
import type { Place } from '../place.js';
import { emit } from '../terminal.js';

export async function runAudit(flags: Place & { limit: number; action?: string; refused?: boolean }): Promise<void> {
  const { action, refused } = flags;
  const limit = Math.max(1, Math.min(500, Math.round(flags.limit)));
  const entries = await manage<AuditLine[]>(
    flags,
    (db) => listAudit(db, { limit, action, refused }),
    async (client) => (await client.audit({ limit, action, refused: refused ? 'true' : undefined })).entries,
  );
  for (const entry of entries) {
    if (flags.json) emit({ ...entry });
    else process.stdout.write(`${line(entry)}\n`);
  }
}

interface AuditLine {
  at: Date | string;
  name: string;
  action: string;
  subject: string | null;
  address: string | null;
  refusal: string | null;
  times: number;
}

const line = ({ at, name, action, subject, address, refusal, times }: AuditLine): string => {
  const what = refusal === null ? [] : [times > 1 ? `${refusal} ×${times}` : refusal];
  return [new Date(at).toISOString(), action.padEnd(13), subject ?? '–', name, address ?? 'this machine', ...what].join(
    '  ',
  );
};
