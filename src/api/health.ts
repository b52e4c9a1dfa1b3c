import { z } from 'zod';
import { JOB_STATES } from './job.js';
import { failureSchema } from './remedy.js';

const optionalNumber = z.number().optional();
export const gpuSchema = z
  .object({
    index: z.int(),
    name: z.string(),
    vendor: z.string(),
    uuid: z.string().optional(),
    memoryTotalBytes: optionalNumber,
    memoryUsedBytes: optionalNumber,
    memoryFreeBytes: optionalNumber,
    utilization: optionalNumber.describe('0…1'),
    temperatureCelsius: optionalNumber,
    powerWatts: optionalNumber,
    powerLimitWatts: optionalNumber,
    graphicsClockHertz: optionalNumber,
    memoryClockHertz: optionalNumber,
    throttleReasons: z.array(z.string()).optional(),
    eccErrors: optionalNumber,
    lastXid: optionalNumber,
    error: z.string().optional().describe('A query that this GPU supports failed.'),
  })
  .meta({ id: 'Gpu' });
/** A GPU with its live figures, as far as the vendor's interface tells them. */
export type Gpu = z.infer<typeof gpuSchema>;

export const healthSchema = z
  .object({
    status: z.enum(['healthy', 'unhealthy', 'stopping']),
    reasons: z.array(z.string()).describe('Why it is not healthy.'),
    version: z.string(),
    uptimeSeconds: z.number(),
    adapter: z.record(z.string(), z.unknown()).nullable().describe('The WebGPU adapter of the first worker.'),
    facts: z.record(z.string(), z.unknown()).describe('What was found when the server started.'),
    gpus: z.array(gpuSchema).describe('Live figures; a figure that the driver does not offer is absent.'),
    selfTest: z
      .object({ ok: z.boolean(), seconds: z.number(), ageSeconds: z.number(), failure: failureSchema.optional() })
      .nullable()
      .describe('The last small compute job whose numbers were checked.'),
    queue: z.object({ depth: z.int(), running: z.int(), jobs: z.record(z.enum(JOB_STATES), z.int()) }).nullable(),
    workers: z.array(
      z.object({
        id: z.uuid().optional(),
        host: z.string().optional().describe('Where keys are on, admins see it.'),
        version: z.string(),
        own: z.boolean().describe('Runs within this server.'),
        silentSeconds: z.number(),
        slots: z.array(
          z.object({
            state: z.enum(['starting', 'idle', 'busy', 'stalled', 'broken', 'stopped']),
            adapter: z.record(z.string(), z.unknown()),
            job: z.string().optional(),
            silentSeconds: optionalNumber,
            restarts: z.int(),
            failure: failureSchema.optional(),
          }),
        ),
      }),
    ),
    disk: z.object({ freeBytes: z.number(), totalBytes: z.number() }).nullable(),
  })
  .meta({ id: 'Health' });
/** The state of a server: adapter, queue and workers, with reasons where something is wrong. */
export type Health = z.infer<typeof healthSchema>;
