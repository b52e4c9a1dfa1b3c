import type { Command } from 'commander';
import { listAudit } from '../../server/access/audit.js';
import { manage, type Place, withPlace } from '../manage.js';
import { emit, numberFlag } from '../terminal.js';

export function addAudit(program: Command): void {
  withPlace(
    program.command('audit').description('show who changed what in the service, when and from where, newest first'),
  )
    .option('--limit <n>', 'entries to show', numberFlag('--limit'), 100)
    .option('--action <operation>', 'only this operation, such as deleteJob')
    .action(async (flags: Place & { limit: number; action?: string }) => {
      const { action } = flags;
      const limit = Math.max(1, Math.min(500, Math.round(flags.limit)));
      const entries = await manage<AuditLine[]>(
        flags,
        (db) => listAudit(db, { limit, action }),
        async (client) => (await client.audit({ limit, action })).entries,
      );
      for (const entry of entries) {
        if (flags.json) emit({ ...entry });
        else process.stdout.write(`${line(entry)}\n`);
      }
    });
}

interface AuditLine {
  at: Date | string;
  name: string;
  action: string;
  subject: string | null;
  address: string | null;
}

const line = ({ at, name, action, subject, address }: AuditLine): string =>
  [new Date(at).toISOString(), action.padEnd(13), subject ?? '–', name, address ?? 'this machine'].join('  ');
