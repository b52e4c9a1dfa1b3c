import type { Database } from '../../src/jobs/database/database.js';

const PART = 2000;

/**
 * Puts finished and waiting jobs into the database as a year of use would leave them: names that share words, one
 * failed in a thousand, a twentieth still queued (without tickets, so that no worker takes them), every tenth of one
 * `owner`, results with some sixty files.
 */
export async function seedJobs(db: Database, count: number, owner: string | null = null): Promise<void> {
  const request = {
    methods: [{ method: 'fusion', preset: 'standard', options: {} }],
    runs: [{ name: 'fusion', method: 'fusion', preset: 'standard', options: {} }],
    formats: ['glb', 'obj', 'ply', 'usdz'],
    seed: 0,
    priority: 0,
  };
  const result = {
    runs: [
      {
        name: 'fusion',
        method: 'fusion',
        preset: 'standard',
        seconds: 40,
        quality: { status: 'normal', psnr: 31.2, ssim: 0.95 },
        warnings: [],
        stages: ['read', 'fuse', 'texture', 'report'].map((stage) => ({ stage, seconds: 10 })),
      },
    ],
  };
  const files = Array.from({ length: 60 }, (_, i) => ({
    name: `previews/textured-${i}.png`,
    bytes: 1000 + i,
    sha256: i.toString(16).padStart(64, '0'),
  }));
  // In parts that a statement's time limit allows.
  for (let from = 1; from <= count; from += PART)
    await db.query(
      `INSERT INTO plinth.jobs (id, name, state, request, input, created_at, queued_at, started_at, finished_at, result, files, result_files, thumbnail, failure, owner)
     SELECT gen_random_uuid(), 'Capture ' || md5(i::text) || ' number ' || i, state, $2::jsonb, $3::jsonb, made, made,
       CASE WHEN state <> 'queued' THEN made END, CASE WHEN state <> 'queued' THEN made END,
       CASE WHEN state = 'succeeded' THEN $4::jsonb END, CASE WHEN state = 'succeeded' THEN $8::jsonb END,
       CASE WHEN state = 'succeeded' THEN 60 ELSE 0 END, CASE WHEN state = 'succeeded' THEN 'previews/textured-0.png' END,
       CASE WHEN state = 'failed' THEN '{"code": "WORKER_LOST", "message": "Lost."}'::jsonb END,
       CASE WHEN i % 10 = 7 THEN $5::uuid END
     FROM (
       SELECT i, now() - make_interval(secs => ($1::int - i) * 300) AS made,
         CASE WHEN i > $1::int * 0.95 THEN 'queued' WHEN i % 1000 = 7 THEN 'failed' ELSE 'succeeded' END AS state
       FROM generate_series($6::int, least($1::int, $6::int + $7::int - 1)) AS i
     ) AS seeds`,
      [
        count,
        JSON.stringify(request),
        JSON.stringify({ kind: 'files', name: 'capture', files: 40, bytes: 1e8 }),
        JSON.stringify(result),
        owner,
        from,
        PART,
        JSON.stringify(files),
      ],
    );
  await db.query('ANALYZE plinth.jobs');
}
