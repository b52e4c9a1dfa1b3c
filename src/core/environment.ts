/**
 * Environment variables of Plinth that are no settings of the service (those are in `server/settings.ts`), with what
 * they are for. CONTRIBUTING.md lists them all; a test holds both against the sources.
 */
export const VARIABLES: Readonly<Record<string, string>> = {
  PLINTH_CONFIG: 'Settings file of the service; as --config.',
  PLINTH_CACHE:
    'Folder for what can be fetched again: software driver, Node, network weights. Default: ~/.cache/plinth.',
  PLINTH_ADAPTER: 'GPU to use: auto, discrete, software, an index, or part of a name, as `plinth doctor` lists them.',
  PLINTH_WEIGHTS: 'Folder of network weights; as --weights of `plinth weights`. Default: weights in that cache.',
  PLINTH_NN_SOFTWARE:
    '1 lets methods with large networks run on the software adapter, which takes them days; else they refuse.',
  PLINTH_TEST_MODELS:
    '1 takes network weights of other sizes than the published ones, as tests do. What they make means nothing.',
  PLINTH_DISABLE_FEATURES: 'Optional GPU features to do without, by commas, to test what stands in for them.',
  PLINTH_DEFAULT_LIMITS: "1 leaves all limits of the GPU at WebGPU's defaults, to test what the least adapter gives.",
  PLINTH_PROFILE: '1 prints where the GPU time of each reconstruction went; a file name also writes the trace there.',
  PLINTH_GPU_LOG: '1 shows what drivers and the Vulkan loader write to standard error.',
  PLINTH_NVML_LIBRARY: "Library to ask about NVIDIA's GPUs in place of the system's, for tests.",
  PLINTH_SYSFS: "Folder in place of /sys, from where AMD's and Intel's figures come, for tests.",
  PLINTH_PROBE_SETTINGS: 'What the health probe hands its child process; not to be set by hand.',
  PLINTH_DEV_PORT: 'Port of the page under `npm run dev`. Default: 5173.',
  PLINTH_TEST_SOURCES: '1 lets tests start the command from its sources; set by test:file and test:watch.',
  PLINTH_TEST_CONTAINER: '1 runs the tests that build and start the container image.',
  PLINTH_TEST_IMAGE: 'Image that those tests start, in place of one that they build.',
  PLINTH_PUBLISHED_ADDRESS: 'Address at which the compose file for several machines publishes the service.',
  PLINTH_PUBLISHED_PORT: 'Port at which the compose files publish the service.',
  PLINTH_WORKERS: 'Workers that the compose file for several machines starts.',
};

/**
 * Names that Kubernetes gives every container for a Service called `plinth…`, unless `enableServiceLinks` is off:
 * nobody has set them, so they are no mistake.
 */
export const isServiceLink = (name: string, value = ''): boolean =>
  /^PLINTH_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/.test(name) ||
  (/^PLINTH_(\w+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value));
