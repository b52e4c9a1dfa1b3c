import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Job } from '../../src/api/job.js';
import type { Problem } from '../../src/api/problem.js';
import { onBothDatabases } from './databases.js';
import { captureForm, startTestServer, type TestServer } from './testServer.js';

onBothDatabases('jobs over HTTP', (url) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ databaseUrl: await url() });
  });
  afterAll(() => server.destroy());

  const problem = async (response: Response): Promise<Problem> => {
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    return (await response.json()) as Problem;
  };

  test('a job runs from upload to its files', async () => {
    const response = await server.ask('/v1/jobs', {
      method: 'POST',
      body: captureForm([], { name: 'My vase', preset: 'draft' }),
    });
    expect(response.status).toBe(202);
    const job = (await response.json()) as Job;
    expect(response.headers.get('location')).toBe(`/v1/jobs/${job.id}`);
    expect(job).toMatchObject({ name: 'My vase', state: 'queued', methods: [{ name: 'fusion', preset: 'draft' }] });
    const done = await server.until(job.id, 'succeeded', 'failed');
    expect(done).toMatchObject({ state: 'succeeded', attempt: 1, failure: null });
    expect(done.progress).toMatchObject({ fraction: 1, overall: 1, remainingSeconds: 0 });
    expect(done.result!.runs[0].quality).toEqual({ status: 'normal', psnr: 30, ssim: 0.9 });
    const { files } = (await (await server.ask(`/v1/jobs/${job.id}/files`)).json()) as {
      files: { name: string; url: string }[];
    };
    expect(files.map((f) => f.name)).toEqual(['asset.glb', 'previews/front.png', 'quality.json']);
    const quality = await (await server.ask(files[2].url)).json();
    expect(quality).toMatchObject({ job: job.id, attempt: 1 });
    const log = await (await server.ask(done.links.log)).text();
    expect(log).toMatch(/stage fuse[\s\S]*succeeded: 3 files/);
  });

  test('several methods run in turn on one capture and are compared', async () => {
    const request = {
      methods: [
        { method: 'fusion', preset: 'draft' },
        { method: 'fusion', options: { triangles: 5000 } },
      ],
    };
    const job = await server.submit([], { request: JSON.stringify(request) });
    const done = await server.until(job.id, 'succeeded', 'failed');
    expect(done.result).toMatchObject({
      best: 'fusion',
      comparison: expect.stringContaining('fusion is the best: 30.0 dB'),
    });
    const { files } = (await (await server.ask(done.links.files)).json()) as { files: { name: string }[] };
    expect(files.map((f) => f.name)).toEqual(
      expect.arrayContaining(['comparison.json', 'fusion/asset.glb', 'fusion-2/asset.glb']),
    );
  });

  test('a failure of the input is not retried and carries code, sentence and remedy', async () => {
    const { id } = await server.submit(['input-error']);
    const failed = await server.until(id, 'succeeded', 'failed');
    expect(failed).toMatchObject({
      state: 'failed',
      attempt: 1,
      failure: {
        code: 'CAPTURE_VIEWS_DISAGREE',
        message: expect.stringContaining('disagree'),
        remedy: 'Take better ones',
      },
    });
    const refused = await server.ask(failed.links.files);
    expect(refused.status).toBe(409);
    expect((await problem(refused)).code).toBe('JOB_STATE_CONFLICT');
  });

  test('a killed worker and a lost device are retried from the checkpoint', async () => {
    for (const order of ['crash-1', 'device-lost-1']) {
      const { id } = await server.submit([order]);
      const done = await server.until(id, 'succeeded', 'failed');
      expect(done).toMatchObject({ state: 'succeeded', attempt: 2 });
      // The stage before the failure was not done again.
      const log = await (await server.ask(done.links.log)).text();
      expect(log.match(/stage read/g)).toHaveLength(1);
      expect(log.match(/stage fuse/g)).toHaveLength(2);
    }
  });

  test('a machine that keeps failing ends the job after the limit of attempts', async () => {
    const { id } = await server.submit(['device-lost-99']);
    expect(await server.until(id, 'succeeded', 'failed')).toMatchObject({
      state: 'failed',
      attempt: 3,
      failure: { code: 'GPU_DEVICE_LOST' },
    });
  });

  test('out of GPU memory gives one try at a smaller working size', async () => {
    const { id } = await server.submit(['out-of-memory']);
    const done = await server.until(id, 'succeeded', 'failed');
    expect(done).toMatchObject({ state: 'succeeded', attempt: 2, reduced: true });
  });

  test('a running job is cancelled while it runs and can be retried and deleted', async () => {
    const { id } = await server.submit(['slow-20']);
    await server.until(id, 'running');
    // Before it is cancelled: that may take less time than the next request.
    const refused = await server.ask(`/v1/jobs/${id}`, { method: 'DELETE' });
    expect((await problem(refused)).code).toBe('JOB_STATE_CONFLICT');
    const response = await server.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ state: 'running', cancelRequested: true });
    expect(await server.until(id, 'cancelled')).toMatchObject({ failure: null, result: null });
    expect((await server.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(409);
    expect((await server.ask(`/v1/jobs/${id}/retry`, { method: 'POST' })).status).toBe(202);
    expect((await server.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(202);
    await server.until(id, 'cancelled');
    expect((await server.ask(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(204);
    const gone = await server.ask(`/v1/jobs/${id}`);
    expect(gone.status).toBe(404);
    expect((await problem(gone)).code).toBe('JOB_NOT_FOUND');
    expect(await server.service.artifacts.list(`jobs/${id}`)).toEqual([]);
  });

  test('a job that is cancelled while a worker is taking it is cancelled', async () => {
    const { queue } = server.service.store;
    const take = queue.take.bind(queue);
    const spy = vi.spyOn(queue, 'take').mockImplementation(async (tx) => {
      const ticket = await take(tx);
      if (ticket) await sleep(400);
      return ticket;
    });
    try {
      const { id } = await server.submit(['slow-20']);
      await vi.waitFor(() => expect(spy).toHaveBeenCalled(), { timeout: 300_000 });
      await sleep(100);
      expect((await server.ask(`/v1/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(202);
      expect(await server.until(id, 'cancelled', 'succeeded')).toMatchObject({ state: 'cancelled' });
    } finally {
      spy.mockRestore();
    }
  });

  test('a queued job is cancelled at once and never runs', async () => {
    const busy = await server.submit(['slow-5']);
    const waiting = await server.submit();
    expect(await (await server.ask(`/v1/jobs/${waiting.id}/cancel`, { method: 'POST' })).json()).toMatchObject({
      state: 'cancelled',
    });
    await server.until(busy.id, 'succeeded');
    expect(await server.until(waiting.id, 'cancelled')).toMatchObject({ attempt: 0 });
  });

  test('the same Idempotency-Key makes one job, another body under it is refused', async () => {
    const headers = { 'idempotency-key': `key-${Math.floor(performance.now())}` };
    const [a, b] = await Promise.all([server.submit([], {}, headers), server.submit([], {}, headers)]);
    expect(a.id).toBe(b.id);
    const again = await server.ask('/v1/jobs', { method: 'POST', body: captureForm(), headers });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = await server.ask('/v1/jobs', { method: 'POST', body: captureForm(['plain']), headers });
    expect(other.status).toBe(422);
    expect((await problem(other)).code).toBe('IDEMPOTENCY_KEY_REUSED');
    const example = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"example":"vase-six"}',
    };
    expect((await server.ask('/v1/jobs', example)).status).toBe(422);
  });

  test('jobs are listed newest first, by state and name, page by page', async () => {
    const name = `listed ${Math.floor(performance.now())}`;
    const made = [];
    for (let i = 0; i < 5; i++) made.unshift((await server.submit([], { name: `${name} ${i}` })).id);
    for (const id of made) await server.until(id, 'succeeded');
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = new URLSearchParams({
        search: name.toUpperCase(),
        limit: '2',
        state: 'succeeded,failed',
        ...(cursor && { cursor }),
      });
      const page = (await (await server.ask(`/v1/jobs?${query}`)).json()) as {
        jobs: Job[];
        next: string | null;
      };
      found.push(...page.jobs.map((j) => j.id));
      cursor = page.next;
    }
    expect(found).toEqual(made);
    const wrong = await problem(await server.ask('/v1/jobs?state=broken&limit=0'));
    expect(wrong).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    expect(wrong.errors!.map((e) => e.field)).toEqual(expect.arrayContaining(['limit']));
  });

  test('a job has one shape in a form, in JSON and in the query of a zip', async () => {
    const options = { triangles: 5000 };
    const run = { method: 'fusion', preset: 'draft' as const, options };
    const expected = [{ name: 'fusion', ...run }];
    const methods = async (response: Promise<Response>): Promise<unknown> =>
      ((await (await response).json()) as Job).methods;
    const json = (body: object): Promise<Response> =>
      server.ask('/v1/jobs', {
        method: 'POST',
        body: JSON.stringify({ example: 'vase-six', ...body }),
        headers: { 'content-type': 'application/json' },
      });
    const form = (fields: Record<string, string>): Promise<Response> =>
      server.ask('/v1/jobs', { method: 'POST', body: captureForm([], fields) });
    expect(await methods(json(run))).toEqual(expected);
    expect(await methods(json({ methods: [run] }))).toEqual(expected);
    expect(await methods(form({ ...run, options: JSON.stringify(options) }))).toEqual(expected);
    expect(await methods(form({ methods: JSON.stringify([run]) }))).toEqual(expected);
    expect(await methods(form({ request: JSON.stringify(run) }))).toEqual(expected);
    for (const answer of [json({ preset: 'draft', methods: [run] }), form({ preset: 'draft', methods: '[]' })]) {
      expect(await problem(await answer)).toMatchObject({ code: 'REQUEST_INVALID', field: 'methods', status: 400 });
    }
  });

  test('options are checked against the schema of the method, naming the field', async () => {
    for (const [fields, field, code] of [
      [{ method: 'nothing' }, 'methods.0.method', 'METHOD_UNKNOWN'],
      [{ options: '{"triangles": 3}' }, 'methods.0.options.triangles', 'OPTION_INVALID'],
      [{ options: '{"unknown": 3}' }, 'methods.0.options.unknown', 'OPTION_INVALID'],
      [{ options: '{' }, 'options', 'REQUEST_INVALID'],
      [{ preset: 'best' }, 'preset', 'REQUEST_INVALID'],
      [{ seed: 'x' }, 'seed', 'REQUEST_INVALID'],
      [{ colour: 'red' }, 'colour', 'REQUEST_INVALID'],
    ] as const) {
      const answer = await problem(
        await server.ask('/v1/jobs', { method: 'POST', body: captureForm([], fields as never) }),
      );
      expect(answer, field).toMatchObject({ code, field });
    }
  });

  test('a job that is stuck beyond the time limit ends with its code', async () => {
    const strict = await startTestServer({ databaseUrl: await url(), flags: { 'jobs.timeLimitSeconds': 1 } });
    try {
      const { id } = await strict.submit(['busy-loop']);
      expect(await strict.until(id, 'failed')).toMatchObject({ attempt: 1, failure: { code: 'JOB_TIME_LIMIT' } });
    } finally {
      await strict.destroy();
    }
  });
});
