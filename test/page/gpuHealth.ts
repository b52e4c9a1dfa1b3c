import type { Health } from '../../src/api/client.js';

/** What `/health` says of a GPU, made up: load and temperature rise from one look to the next. */
export const gpuHealth = (look: number): Pick<Health, 'gpus'> => ({
  gpus: [
    {
      index: 0,
      name: 'Example GPU 24 GB',
      vendor: 'nvidia',
      memoryTotalBytes: 24e9,
      memoryUsedBytes: 6e9 + look * 5e8,
      memoryFreeBytes: 18e9 - look * 5e8,
      utilization: Math.min(1, 0.5 + look / 20),
      temperatureCelsius: 60 + look,
      powerWatts: 180 + look * 10,
      powerLimitWatts: 350,
      throttleReasons: ['power limit'],
    },
  ],
});
