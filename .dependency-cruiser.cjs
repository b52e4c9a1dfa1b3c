// The rooms of docs/architecture.md. Each room lists what it may import; anything else is an arrow upwards.
const rooms = {
  core: [],
  api: ['core'],
  platform: ['core'],
  gpu: ['core'],
  capture: ['core'],
  photos: ['core', 'platform', 'capture'],
  object: ['core', 'platform', 'capture'],
  geometry: ['core', 'gpu'],
  render: ['core', 'gpu'],
  nn: ['core', 'gpu'],
  weights: ['core'],
  methods: ['core', 'gpu', 'capture', 'geometry', 'render', 'nn', 'weights'],
  asset: ['core', 'platform', 'gpu', 'geometry', 'render'],
  quality: ['core', 'platform', 'gpu', 'capture', 'geometry', 'render', 'asset'],
  health: ['core', 'platform', 'gpu'],
  pipeline: [
    'core',
    'platform',
    'gpu',
    'capture',
    'object',
    'geometry',
    'render',
    'weights',
    'methods',
    'asset',
    'quality',
  ],
  jobs: ['core', 'platform', 'api', 'gpu', 'capture', 'photos', 'methods', 'asset', 'quality', 'pipeline', 'health'],
  server: ['core', 'platform', 'api', 'jobs', 'health', 'methods', 'pipeline'],
};

/** What a room's own folders may import of each other, where they have an order; files of the room itself are free to all. */
const folders = {
  asset: { previews: [], read: [], write: [] },
  geometry: {
    mesh: [],
    marchingCubes: [],
    volume: ['marchingCubes', 'mesh'],
    flexicubes: ['marchingCubes', 'mesh'],
    carving: ['flexicubes'],
    stereo: [],
  },
  'geometry/mesh': {
    measure: [],
    simplify: ['measure'],
    repair: ['measure', 'simplify'],
    unwrap: ['measure', 'repair'],
  },
  gpu: { runtime: [], primitives: ['runtime'], selfTest: ['runtime', 'primitives'] },
  jobs: {
    database: ['webhooks'],
    storage: ['database'],
    webhooks: ['database'],
    worker: ['database', 'storage'],
  },
  methods: { shared: [], fusion: ['shared'], nvdiffrec: ['shared'], reconviagen: ['shared'] },
  quality: { metrics: [], verdict: [], assess: ['metrics'], report: ['metrics', 'verdict'] },
  render: { forward: [], diff: ['forward'], projection: ['forward'] },
  'render/diff': { geometry: [], light: [], loss: [], shade: ['light'], step: ['geometry'] },
  'render/projection': { texels: [], views: [], complete: ['texels'], refine: ['texels', 'views'] },
};

const withinRooms = Object.entries(folders).flatMap(([room, parts]) =>
  Object.entries(parts).map(([part, allowed]) => ({
    name: `folder-${room}/${part}`,
    comment: `src/${room}/${part} may use of the other folders of src/${room} only: ${allowed.join(', ') || 'none'}`,
    severity: 'error',
    from: { path: `^src/${room}/${part}/`, pathNot: '\\.test\\.ts$' },
    to: { path: `^src/${room}/[^/]+/`, pathNot: `^src/${room}/(${[part, ...allowed].join('|')})/` },
  })),
);

const forbidden = Object.entries(rooms).map(([room, allowed]) => ({
  name: `room-${room}`,
  comment: `src/${room} may use only: ${[room, ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}));

/** Rooms, and parts of rooms, that run on any platform. */
const engine = ['core', 'gpu/runtime', 'gpu/primitives', 'gpu/selfTest', 'geometry', 'render', 'nn', 'methods'].join(
  '|',
);
/** Packages of plain JavaScript and WebAssembly. */
const portable = ['zod', 'watlas', 'meshoptimizer', 'manifold-3d', '@webgpu/types'].join('|');

module.exports = {
  forbidden: [
    ...forbidden,
    ...withinRooms,
    {
      name: 'room-capture-layout',
      comment:
        'src/capture/layout runs in the page too: it may use only plain files of src/core, no platform and no package',
      severity: 'error',
      from: { path: '^src/capture/layout/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^src/(capture/layout|core)/' },
    },
    {
      name: 'room-bench',
      comment: 'bench/ measures the product from outside: no part of it is of use to the product or to the page',
      severity: 'error',
      from: { path: '^(src|web)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^bench/' },
    },
    {
      name: 'room-web',
      comment:
        'web/ may use of src/ only the API client, what it needs to understand files before they are sent, and the plain ' +
        'rules by which the engine draws: shadow, neutral studio, framing',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/', pathNot: '^src/((api|capture/layout|core)/|render/forward/(studio|orbit)\\.ts$)' },
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
      to: { path: '^src/gpu/(adapter|driver|doctor)/' },
    },
    {
      name: 'engine-free-of-native-packages',
      severity: 'error',
      from: { path: `^src/(${engine})/`, pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/', pathNot: `node_modules/(${portable})/` },
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
