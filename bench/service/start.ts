/**
 * From the end of GPU validation to listening, on the embedded database: the first start, which makes the database, and
 * a later one. `npm run build && tsx bench/service/start.ts [starts = 3]`
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const starts = Number(process.argv[2] ?? 3);
const PLINTH = fileURLToPath(new URL('../../bin/plinth.js', import.meta.url));

interface Start {
  seconds: number;
  cpuSeconds: number;
}

/** Processor time that a process has taken. Says what a start costs however busy the machine is. */
async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function start(data: string): Promise<Start> {
  const child = spawn(process.execPath, [PLINTH, 'serve', '--port', '0', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let validated: { at: number; cpu: Promise<number> } | undefined;
  const result = await new Promise<Start>((resolve, reject) => {
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const { msg, time } = JSON.parse(line) as { msg: string; time: number };
        if (msg.startsWith('GPU validation passed')) validated = { at: time, cpu: cpuSeconds(child.pid!) };
        if (msg !== 'listening' || !validated) continue;
        const { at, cpu } = validated;
        void Promise.all([cpu, cpuSeconds(child.pid!)]).then(([before, after]) =>
          resolve({ seconds: (time - at) / 1000, cpuSeconds: Number((after - before).toFixed(2)) }),
        );
      }
    });
    void ended.then((code) => reject(new Error(`it ended with code ${code}`)));
  });
  child.kill('SIGTERM');
  await ended;
  return result;
}

const first: Start[] = [];
const later: Start[] = [];
for (let i = 0; i < starts; i++) {
  const data = await mkdtemp(join(tmpdir(), 'plinth-start-'));
  first.push(await start(data));
  later.push(await start(data));
  await rm(data, { recursive: true, force: true });
}
console.log(JSON.stringify({ first, later }));
