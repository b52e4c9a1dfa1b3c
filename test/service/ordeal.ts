/**
 * Jobs that are sent to a cluster while its parts are killed, and the proof that none was lost, doubled or left half
 * done.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, JobFile } from '../../src/api/job.js';
import type { Cluster } from './cluster.js';
import { captureForm } from './testServer.js';

export interface Sent {
  id: string;
  /** The name that the job was given, by which doubles show. */
  name: string;
}

/** Sends a job until an API has taken it, again and again with the same key where the answer was lost. */
export async function send(cluster: Cluster, does: string[], fields: Record<string, string> = {}): Promise<Sent> {
  const name = `job ${randomUUID()}`;
  for (let attempt = 0; ; attempt++) {
    const { apis } = cluster;
    const api = apis[attempt % Math.max(1, apis.length)];
    const response =
      api &&
      (await cluster
        .ask(
          '/v1/jobs',
          { method: 'POST', body: captureForm(does, { ...fields, name }), headers: { 'idempotency-key': name } },
          api,
        )
        .catch(() => undefined));
    if (response?.status === 202 || response?.status === 200) return { id: ((await response.json()) as Job).id, name };
    if (response && response.status < 500 && response.status !== 409 && response.status !== 429)
      throw new Error(`a job was refused: ${response.status} ${await response.text()}`);
    await sleep(200);
  }
}

/** Asks until somebody answers. */
export async function insist(cluster: Cluster, path: string): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const { apis } = cluster;
    const response = await cluster.ask(path, {}, apis[attempt % Math.max(1, apis.length)]).catch(() => undefined);
    if (response && response.status < 500 && response.status !== 429) return response;
    await sleep(200);
  }
}

/** Waits until none of the jobs is queued or running. Answers their last states. */
export async function settled(cluster: Cluster, sent: readonly Sent[]): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const { id } of sent) {
    for (;;) {
      const job = (await (await insist(cluster, `/v1/jobs/${id}`)).json()) as Job;
      if (job.state !== undefined && job.state !== 'queued' && job.state !== 'running') {
        jobs.push(job);
        break;
      }
      if (job.state === undefined) throw new Error(`job ${id} is lost: ${JSON.stringify(job)}`);
      await sleep(200);
    }
  }
  return jobs;
}

/** What is wrong with finished jobs; empty where each succeeded once, with one whole result that belongs to it. */
export async function judge(
  cluster: Cluster,
  sent: readonly Sent[],
  jobs: readonly Job[],
  objects: () => Promise<string[]>,
): Promise<string[]> {
  const problems: string[] = [];
  const stored = await objects();
  const names = new Map<string, number>();
  for (let cursor = ''; ; ) {
    const page = (await (await insist(cluster, `/v1/jobs?limit=100${cursor}`)).json()) as {
      jobs: Job[];
      next: string | null;
    };
    for (const job of page.jobs) names.set(job.name, (names.get(job.name) ?? 0) + 1);
    if (!page.next) break;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
  for (const [i, job] of jobs.entries()) {
    const say = (what: string): void => void problems.push(`${job.id}: ${what}`);
    if (names.get(sent[i].name) !== 1) say(`there are ${names.get(sent[i].name) ?? 0} jobs of its name`);
    if (job.state !== 'succeeded') {
      say(`${job.state}: ${job.failure?.code} ${job.failure?.message}`);
      continue;
    }
    const results = new Set(
      stored.filter((key) => key.startsWith(`jobs/${job.id}/results/`)).map((key) => key.split('/')[3]),
    );
    if (results.size !== 1) say(`it has ${results.size} results in the storage`);
    const { files } = (await (await insist(cluster, `/v1/jobs/${job.id}/files`)).json()) as { files: JobFile[] };
    if (files.length !== job.result!.files) say(`it has ${files.length} files of ${job.result!.files}`);
    for (const file of files) {
      const bytes = Buffer.from(await (await insist(cluster, file.url)).arrayBuffer());
      if (bytes.length !== file.bytes) say(`${file.name} has ${bytes.length} bytes of ${file.bytes}`);
      // The stand-in's report names its job; the real engine's is a schema of its own.
      const text = file.name === 'quality.json' ? (JSON.parse(bytes.toString()) as { job?: string }) : {};
      if (text.job !== undefined && text.job !== job.id) say(`its result is that of ${text.job}`);
    }
    const events = await (await insist(cluster, `/v1/jobs/${job.id}/events`)).text();
    const ends = events.match(/"state":"succeeded"/g)?.length ?? 0;
    if (ends !== 1) say(`it ended ${ends} times`);
  }
  return problems;
}
