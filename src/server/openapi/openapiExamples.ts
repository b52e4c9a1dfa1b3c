import type { Health } from '../../api/health.js';
import type { Job } from '../../api/job.js';
import type { DeliveryFacts } from '../../api/webhook.js';
import type { JobRecord } from '../../jobs/jobRecord.js';
import { toResource } from '../resource.js';

/** Examples of the OpenAPI document. The tests hold each against the schema that it stands beside. */

const ID = '5f0c1c8e-6d5b-4b0e-9a67-3b1d2c7f4e21';
const UPLOAD_ID = '3f2b6c1e-8a54-4f0e-9d0b-0f2f6f3f7a11';
const KEY_ID = '9b6f8f0a-2f4e-4f0c-8a1b-6d6f3c2b1a00';
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));

const run = { name: 'fusion', method: 'fusion', preset: 'draft' as const };
const queued: JobRecord = {
  id: ID,
  name: 'vase-six',
  state: 'queued',
  request: {
    methods: [{ method: run.method, preset: run.preset, options: {} }],
    formats: ['glb'],
    seed: 0,
    priority: 0,
    runs: [{ ...run, options: {} }],
  },
  input: { kind: 'example', name: 'vase-six', files: 13, bytes: 1_482_113 },
  owner: null,
  key: KEY_ID,
  createdAt: at(0),
  queuedAt: at(0),
  startedAt: null,
  finishedAt: null,
  ticket: null,
  claim: null,
  worker: null,
  attempt: 0,
  machineFailures: 0,
  interruptions: 0,
  reduced: false,
  cancelRequested: false,
  progress: null,
  failure: null,
  result: null,
  resultClaim: null,
  resultBytes: 0,
  resultFiles: 0,
  thumbnail: null,
  lastEvent: 1,
};
const running: JobRecord = {
  ...queued,
  state: 'running',
  startedAt: at(1),
  attempt: 1,
  lastEvent: 9,
  progress: {
    run: 'fusion',
    runIndex: 0,
    runs: 1,
    stage: 'fuse',
    title: 'Fusing depth',
    fraction: 0.5,
    overall: 0.3,
    metrics: { psnr: 27.1 },
    elapsedSeconds: 5.2,
    remainingSeconds: 12,
    preview: '00001-fuse.webp',
  },
};
const succeeded: JobRecord = {
  ...running,
  state: 'succeeded',
  finishedAt: at(19),
  lastEvent: 31,
  progress: null,
  result: {
    runs: [
      {
        ...run,
        seconds: 17.4,
        quality: { status: 'normal', psnr: 28.6, ssim: 0.95 },
        warnings: [],
        stages: [{ stage: 'fuse', seconds: 6.1 }],
      },
    ],
    files: [
      { name: 'asset.glb', bytes: 2_481_120 },
      { name: 'previews/front.png', bytes: 48_211 },
      { name: 'quality.json', bytes: 6_021 },
    ],
  },
  resultBytes: 2_535_352,
  resultFiles: 3,
  thumbnail: 'previews/front.png',
};
const failed: JobRecord = {
  ...running,
  state: 'failed',
  finishedAt: at(4),
  progress: null,
  lastEvent: 6,
  failure: {
    code: 'CAPTURE_VIEWS_DISAGREE',
    message: 'The silhouettes of 4 of 6 views leave nothing of the object.',
    remedy: 'Check the cameras of the views that the message names',
  },
};
const job = (record: JobRecord): Job => toResource(record);

const health: Health = {
  status: 'healthy',
  reasons: [],
  version: '0.1.0',
  uptimeSeconds: 86_400,
  adapter: { device: 'NVIDIA GeForce RTX 4090', vendor: 'nvidia', kind: 'discrete' },
  facts: {},
  gpus: [
    {
      index: 0,
      name: 'NVIDIA GeForce RTX 4090',
      vendor: 'nvidia',
      uuid: 'GPU-2b6f3c1e-0000-0000-0000-000000000000',
      memoryTotalBytes: 25_757_220_864,
      memoryUsedBytes: 3_221_225_472,
      memoryFreeBytes: 22_535_995_392,
      utilization: 0.87,
      temperatureCelsius: 61,
      powerWatts: 312,
      powerLimitWatts: 450,
      graphicsClockHertz: 2_520_000_000,
      memoryClockHertz: 10_501_000_000,
      throttleReasons: [],
      eccErrors: 0,
    },
  ],
  selfTest: { ok: true, seconds: 0.004, ageSeconds: 6.2 },
  queue: { depth: 3, running: 1, jobs: { queued: 3, running: 1, succeeded: 120, failed: 4, cancelled: 2 } },
  workers: [
    {
      id: KEY_ID,
      host: 'gpu-1',
      version: '0.1.0',
      own: true,
      silentSeconds: 0,
      slots: [
        { state: 'busy', adapter: { device: 'NVIDIA GeForce RTX 4090' }, job: ID, silentSeconds: 0.4, restarts: 0 },
      ],
    },
  ],
  disk: { freeBytes: 412_316_860_416, totalBytes: 1_000_204_886_016 },
};
const unhealthy: Health = {
  ...health,
  status: 'unhealthy',
  reasons: ['The self-test failed: The GPU device was lost.'],
  selfTest: {
    ok: false,
    seconds: 10,
    ageSeconds: 1.5,
    failure: { code: 'GPU_DEVICE_LOST', message: 'The GPU device was lost.', remedy: 'Look at the driver' },
  },
};

const upload = (received: number) => ({
  id: UPLOAD_ID,
  name: 'My vase',
  createdAt: at(0).toISOString(),
  expiresAt: at(86_400).toISOString(),
  files: [
    { name: 'transforms.json', bytes: 2_048, received: Math.min(received, 2_048) },
    { name: 'images/r_0.png', bytes: 1_000_000, received: Math.max(0, received - 2_048) },
  ].map((file) => ({ ...file, url: `/v1/uploads/${UPLOAD_ID}/files/${file.name}` })),
  bytes: 1_002_048,
  received,
  complete: received === 1_002_048,
});
const delivery: DeliveryFacts = {
  id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  type: 'job.succeeded',
  url: 'https://example.com/hooks/plinth',
  state: 'delivered',
  attempts: 1,
  createdAt: at(70).toISOString(),
  deliveredAt: at(71).toISOString(),
  nextAt: null,
  lastStatus: 204,
  lastError: null,
};
const resent: DeliveryFacts = {
  ...delivery,
  state: 'waiting',
  attempts: 0,
  deliveredAt: null,
  nextAt: at(300).toISOString(),
};
const key = {
  id: KEY_ID,
  name: 'ci',
  scope: 'submit',
  project: 'scans',
  quotas: { jobs: 20 },
  createdAt: at(0).toISOString(),
  lastUsedAt: null,
  revokedAt: null,
};
const file = (name: string, bytes: number, mediaType: string) => ({
  name,
  bytes,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  mediaType,
  url: `/v1/jobs/${ID}/files/${name}`,
});

type Examples = Record<string, { summary: string; value: unknown }>;
const one = (summary: string, value: unknown): Examples => ({ example: { summary, value } });

/** Of answers, by operation and status. */
export const ANSWER_EXAMPLES: Record<string, Record<string, Examples>> = {
  submitJob: { 202: one('A job that waits', job(queued)) },
  listJobs: { 200: one('The last page', { jobs: [job(succeeded)], next: null }) },
  getJob: {
    200: {
      running: { summary: 'At work', value: job(running) },
      succeeded: { summary: 'Done', value: job(succeeded) },
      failed: { summary: 'Failed, with code and remedy', value: job(failed) },
    },
  },
  renameJob: { 200: one('Under its new name', job({ ...running, name: 'Blue vase' })) },
  cancelJob: { 202: one('It stops within seconds', job({ ...running, cancelRequested: true })) },
  retryJob: { 202: one('Queued again', job({ ...queued, attempt: 1, lastEvent: 7 })) },
  listFiles: {
    200: one('Two files', {
      files: [file('asset.glb', 2_481_120, 'model/gltf-binary'), file('previews/front.png', 48_211, 'image/png')],
    }),
  },
  listPreviews: {
    200: one('One preview', {
      previews: [{ name: '00001-fuse.webp', stage: 'fuse', url: `/v1/jobs/${ID}/previews/00001-fuse.webp` }],
    }),
  },
  beginUpload: { 201: one('Nothing is here yet', upload(0)) },
  beginDirectUpload: {
    201: one('An address for one zip', {
      id: UPLOAD_ID,
      name: 'My vase',
      bytes: 1_002_048,
      createdAt: '2026-01-01T12:00:00.000Z',
      expiresAt: '2026-01-02T12:00:00.000Z',
      addressExpiresAt: '2026-01-01T12:15:00.000Z',
      url: `https://s3.example/plinth/uploads/open/${UPLOAD_ID}/capture.zip?X-Amz-Signature=5d672d79c15b13162d9279b0855cfba6`,
    }),
  },
  getUpload: { 200: one('Half of it is here', upload(502_048)) },
  appendToUpload: {
    200: one('Where the next part begins', { name: 'images/r_0.png', bytes: 1_000_000, received: 500_000 }),
  },
  listMethods: {
    200: one('Two methods, their options cut short; one cannot run there', {
      methods: [
        {
          name: 'fusion',
          title: 'Fusion of depth and silhouettes',
          description: 'Fuses depth maps and silhouettes into one closed surface. Seconds on a GPU.',
          requirements: ['cameras', 'masks or depth maps'],
          options: {
            type: 'object',
            properties: { maxResolution: { type: 'integer', minimum: 32, maximum: 1024, default: 320 } },
          },
          presets: { draft: { maxResolution: 128 }, standard: {}, high: { maxResolution: 512 } },
          withoutCameras: false,
          stages: [{ name: 'fuse', title: 'Fusing depth', weight: 3 }],
        },
        {
          name: 'reconviagen',
          title: 'Whole object from a few photos',
          description: 'Networks complete what one to sixteen photos show to a whole object.',
          requirements: ['1 to 16 photos of one object'],
          options: {
            type: 'object',
            properties: { structureSteps: { type: 'integer', minimum: 1, maximum: 100, default: 30 } },
          },
          presets: { draft: { structureSteps: 12 }, standard: {}, high: { structureSteps: 50 } },
          withoutCameras: true,
          unavailable: {
            code: 'WEIGHTS_MISSING',
            message:
              'The weights of reconviagen are not on this machine (looked in its folder of weights: 0 of 15 files).',
            remedy: 'Run `plinth weights download reconviagen`',
          },
          stages: [{ name: 'structure', title: 'Making the coarse shape', weight: 50 }],
        },
      ],
      formats: ['glb', 'obj', 'ply', 'usdz'],
    }),
  },
  listExamples: {
    200: one('One example', {
      examples: [{ name: 'vase-six', files: 13, bytes: 1_482_113, picture: '/v1/examples/vase-six/picture' }],
    }),
  },
  listDeliveries: { 200: one('One that was taken', { deliveries: [delivery] }) },
  redeliver: { 202: one('It is sent again', { deliveries: [resent] }) },
  rotateWebhookSecret: {
    201: one('It is shown this once', {
      secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      overlapUntil: at(86_400).toISOString(),
    }),
  },
  listKeys: { 200: one('One key', { keys: [key] }) },
  listAudit: {
    200: one('One entry', {
      entries: [
        {
          id: '42',
          at: at(0).toISOString(),
          key: KEY_ID,
          name: 'ci',
          action: 'submitJob',
          subject: ID,
          address: '192.0.2.7',
          request: 'req-1',
          refusal: null,
          times: 1,
        },
      ],
      next: null,
    }),
  },
  getOwnKey: {
    200: one('A key with room for more', {
      key,
      quotas: { jobs: 20, runningJobs: 2, storedBytes: 0, gpuSecondsPerDay: 0 },
      used: { jobs: 3, runningJobs: 2, storedBytes: 48_211_004, gpuSecondsToday: 812.4 },
    }),
  },
  createKey: {
    201: one('Its text is shown this once', { ...key, key: 'plinth_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }),
  },
  getHealth: { 200: one('All is well', health), 503: one('The device was lost', unhealthy) },
  getReadiness: { 200: one('All is well', health), 503: one('The device was lost', unhealthy) },
  getLiveness: { 200: one('It answers', { status: 'alive' }) },
};

/** Of bodies that are JSON, by operation. */
export const BODY_EXAMPLES: Record<string, Examples> = {
  submitJob: {
    example: {
      summary: 'A bundled capture',
      value: { example: 'vase-six', methods: [{ method: 'fusion', preset: 'draft' }] },
    },
    compare: {
      summary: 'Two methods on the same capture, compared',
      value: {
        example: 'vase-six',
        methods: [{ method: 'fusion' }, { method: 'nvdiffrec', preset: 'draft', options: { iterations: 300 } }],
      },
    },
    upload: { summary: 'A complete upload', value: { upload: UPLOAD_ID, name: 'My vase' } },
    again: {
      summary: 'The pictures of an earlier job, with a larger texture',
      value: { again: ID, method: 'fusion', options: { textureSize: 2048 } },
    },
  },
  renameJob: one('Another name', { name: 'Blue vase' }),
  beginUpload: one('Two files', {
    name: 'My vase',
    files: [
      { name: 'transforms.json', bytes: 2_048 },
      { name: 'images/r_0.png', bytes: 1_000_000 },
    ],
  }),
  beginDirectUpload: one('A zip of one megabyte', { name: 'My vase', bytes: 1_002_048 }),
  createKey: one('A key that may submit', { name: 'ci', scope: 'submit', project: 'scans', quotas: { jobs: 20 } }),
};

/** Of answers that are no JSON, by operation. */
export const TEXT_EXAMPLES: Record<string, string> = {
  watchJob: [
    'id: 1\nevent: state\ndata: {"state":"queued","at":"2026-01-01T12:00:00.000Z"}\n',
    'id: 7\nevent: progress\ndata: {"run":"fusion","stage":"fuse","title":"Fusing ' +
      'depth","fraction":0.5,"overall":0.3,"remainingSeconds":12,"metrics":{"psnr":27.1}}\n',
  ].join('\n'),
  getLog: '2026-01-01T12:00:01.000Z info attempt 1: fusion\n',
  getMetrics:
    '# HELP plinth_gpu_memory_used_bytes Memory in use.\n# TYPE plinth_gpu_memory_used_bytes ' +
    'gauge\nplinth_gpu_memory_used_bytes{gpu="0",name="NVIDIA GeForce RTX 4090",uuid="GPU-2b6f3c1e"} ' +
    '3221225472\n',
};

/** What a webhook sends. */
export const WEBHOOK_EXAMPLE = {
  type: 'job.succeeded',
  timestamp: at(19).toISOString(),
  data: {
    id: ID,
    name: 'vase-six',
    state: 'succeeded',
    failure: null,
    runs: [{ name: 'fusion', method: 'fusion', quality: { status: 'normal', psnr: 28.6, ssim: 0.95 } }],
  },
};
