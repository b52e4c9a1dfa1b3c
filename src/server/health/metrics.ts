import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../../core/errors.js';
import { JOB_STATES } from '../../jobs/jobRecord.js';
import type { AttemptEnd } from '../../jobs/worker/attempt.js';
import type { HealthReport, SelfTest } from './healthMonitor.js';

const LOSSES: ErrorCode[] = ['GPU_DEVICE_LOST', 'WORKER_LOST'];
const SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200];

/** What `/metrics` tells, in base units. */
export class Metrics {
  readonly registry = new Registry();
  private readonly http = this.histogram(
    'plinth_http_request_duration_seconds',
    'Time to answer a request.',
    ['method', 'route', 'status'],
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  );
  private readonly uploads = new Counter({
    name: 'plinth_uploads_total',
    help: 'Bodies sent with POST /v1/jobs, by what became of them: `accepted` or the code of the refusal.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  private readonly queue = this.histogram(
    'plinth_queue_seconds',
    'Time that jobs waited before a worker began them.',
    [],
    SECONDS,
  );
  private readonly stage = this.histogram(
    'plinth_stage_seconds',
    'Time of one stage of one run.',
    ['method', 'stage'],
    SECONDS,
  );
  private readonly job = this.histogram(
    'plinth_job_seconds',
    'Time of a job from its first start to its end.',
    ['state'],
    SECONDS,
  );
  private readonly psnr = this.histogram(
    'plinth_job_psnr_decibels',
    'PSNR of finished runs.',
    ['method'],
    [15, 18, 20, 22, 24, 26, 28, 30, 33, 36, 40],
  );
  private readonly failures = new Counter({
    name: 'plinth_job_failures_total',
    help: 'Failures of attempts by code.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  private readonly losses = new Counter({
    name: 'plinth_gpu_device_losses_total',
    help: 'Attempts and self-tests that ended with a lost device or worker process.',
    registers: [this.registry],
  });
  private readonly failedTests = new Counter({
    name: 'plinth_self_test_failures_total',
    help: 'Self-tests that failed.',
    registers: [this.registry],
  });
  private readonly jobs = this.gauge('plinth_jobs', 'Jobs on record by state.', ['state']);
  private readonly workers = this.gauge('plinth_workers', 'Worker processes by state.', ['state']);
  private readonly healthy = this.gauge('plinth_healthy', '1 when /health answers 200.');
  private readonly testOk = this.gauge('plinth_self_test_success', '1 when the last self-test came out right.');
  private readonly testSeconds = this.gauge('plinth_self_test_duration_seconds', 'Time of the last self-test.');
  private readonly testAge = this.gauge('plinth_self_test_age_seconds', 'Time since the last self-test.');
  private readonly diskFree = this.gauge('plinth_disk_free_bytes', 'Free disk where Plinth keeps its data.');
  private readonly gpu = {
    memoryTotalBytes: this.gpuGauge('memory_total_bytes', 'Memory of the GPU.'),
    memoryUsedBytes: this.gpuGauge('memory_used_bytes', 'Memory in use.'),
    memoryFreeBytes: this.gpuGauge('memory_free_bytes', 'Memory that is free.'),
    utilization: this.gpuGauge('utilization_ratio', 'Share of time that kernels ran, 0 to 1.'),
    temperatureCelsius: this.gpuGauge('temperature_celsius', 'Temperature of the GPU.'),
    powerWatts: this.gpuGauge('power_watts', 'Power draw.'),
    graphicsClockHertz: this.gpuGauge('clock_hertz', 'Clock of the shaders.'),
    eccErrors: this.gpuGauge('ecc_uncorrected_errors', 'Uncorrected memory errors.'),
  };
  private readonly throttled = this.gpuGauge('throttled', '1 while the clocks are held down.');

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.http.observe({ method, route, status: String(status) }, seconds);
  }

  /** Counted when nothing of a refused upload is left on disk. */
  upload(outcome: 'accepted' | ErrorCode): void {
    this.uploads.inc({ outcome });
  }

  selfTest({ ok, failure }: Pick<SelfTest, 'ok' | 'failure'>): void {
    if (!ok) this.failedTests.inc();
    if (failure && LOSSES.includes(failure.code)) this.losses.inc();
  }

  attempt({ job, state, failure, runs }: AttemptEnd): void {
    if (job.startedAt && job.attempt === 1) {
      this.queue.observe(Math.max(0, (job.startedAt.getTime() - job.queuedAt.getTime()) / 1000));
    }
    if (failure) {
      this.failures.inc({ code: failure.code });
      if (LOSSES.includes(failure.code)) this.losses.inc();
    }
    if (state !== 'queued' && job.startedAt) this.job.observe({ state }, (Date.now() - job.startedAt.getTime()) / 1000);
    for (const run of runs) {
      for (const { stage, seconds } of run.stages) this.stage.observe({ method: run.method, stage }, seconds);
      if (run.quality) this.psnr.observe({ method: run.method }, run.quality.psnr);
      if (run.failure) this.failures.inc({ code: run.failure.code });
    }
  }

  async text(report: HealthReport): Promise<string> {
    this.healthy.set(report.healthy ? 1 : 0);
    if (report.jobs) for (const state of JOB_STATES) this.jobs.set({ state }, report.jobs[state]);
    this.workers.reset();
    for (const state of ['starting', 'idle', 'busy', 'stalled', 'broken'] as const) {
      this.workers.set({ state }, report.workers.flatMap((w) => w.slots).filter((s) => s.state === state).length);
    }
    const { selfTest } = report;
    if (selfTest) {
      this.testOk.set(selfTest.ok ? 1 : 0);
      this.testSeconds.set(selfTest.seconds);
      this.testAge.set((Date.now() - selfTest.at.getTime()) / 1000);
    }
    if (report.disk) this.diskFree.set(report.disk.free);
    for (const gauge of [...Object.values(this.gpu), this.throttled]) gauge.reset();
    for (const figures of report.gpus) {
      const labels = { gpu: String(figures.index), name: figures.name, uuid: figures.uuid ?? '' };
      for (const [field, gauge] of Object.entries(this.gpu)) {
        const value = figures[field as keyof typeof this.gpu];
        if (value !== undefined) gauge.set(labels, value);
      }
      if (figures.throttleReasons) this.throttled.set(labels, figures.throttleReasons.length > 0 ? 1 : 0);
    }
    return await this.registry.metrics();
  }

  private histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  private gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private gpuGauge(name: string, help: string): Gauge {
    return this.gauge(`plinth_gpu_${name}`, help, ['gpu', 'name', 'uuid']);
  }
}
