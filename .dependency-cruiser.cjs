// The rooms of docs/architecture.md. Each room lists what it may import; anything else is an arrow upwards.
const rooms = {
  core: [],
  api: ['core'],
  gpu: ['core'],
  capture: ['core'],
  geometry: ['core', 'gpu'],
  render: ['core', 'gpu'],
  methods: ['core', 'gpu', 'capture', 'geometry', 'render'],
  asset: ['core', 'gpu', 'geometry', 'render'],
  quality: ['core', 'gpu', 'capture', 'geometry', 'render', 'asset'],
  health: ['core', 'gpu'],
  pipeline: ['core', 'gpu', 'capture', 'geometry', 'render', 'methods', 'asset', 'quality'],
  jobs: ['core', 'api', 'gpu', 'capture', 'methods', 'asset', 'quality', 'pipeline', 'health'],
  server: ['core', 'api', 'jobs', 'health', 'methods', 'pipeline'],
};

const forbidden = Object.entries(rooms).map(([room, allowed]) => ({
  name: `room-${room}`,
  comment: `src/${room} may use only: ${[room, ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}));

/** Rooms, and parts of rooms, that run on any platform. */
const engine = ['core', 'gpu/runtime', 'gpu/primitives', 'gpu/selfTest'].join('|');

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'room-capture-layout',
      comment:
        'src/capture/layout runs in the page too: it may use only plain files of src/core, no platform and no package',
      severity: 'error',
      from: { path: '^src/capture/layout/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^src/(capture/layout|core)/' },
    },
    {
      name: 'room-web',
      comment: 'web/ may use of src/ only the API client and what it needs to understand files before they are sent',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/', pathNot: '^src/(api|capture/layout)/' },
    },
    {
      name: 'engine-free-of-its-platform',
      comment:
        'The same engine is to run in a browser: no module of Node, no native package. What it needs of them it is given.',
      severity: 'error',
      from: { path: `^src/(${engine})/`, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'engine-free-of-what-needs-the-platform',
      severity: 'error',
      from: { path: `^src/(${engine})/`, pathNot: '\\.test\\.ts$' },
      to: { path: [`^src/gpu/(adapter|driver|doctor)/`, 'node_modules/(koffi|webgpu|sharp)/'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'product-from-npm-dependencies-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
