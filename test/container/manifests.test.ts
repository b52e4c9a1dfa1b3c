import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { migrate } from '../../src/jobs/database/migrations.js';
import { openDatabase } from '../../src/jobs/database/openDatabase.js';
import { describeSettings, loadSettings } from '../../src/server/settings.js';
import { ROOT } from '../command.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Variable {
  name: string;
  value?: string;
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface Container {
  name: string;
  image: string;
  args: string[];
  env: Variable[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  ports: { name: string; containerPort: number }[];
  lifecycle?: { preStop: { exec: { command: string[] } } };
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
  securityContext: Record<string, unknown>;
  resources: { limits: Record<string, unknown> };
  volumeMounts: { name: string; mountPath: string }[];
}
interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec: {
    selector: Record<string, unknown> & { matchLabels?: Record<string, string> };
    ports?: { targetPort: string }[];
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        containers: Container[];
        volumes: { name: string }[];
        securityContext: Record<string, unknown>;
        terminationGracePeriodSeconds: number;
      };
    };
    volumeClaimTemplates?: { metadata: { name: string } }[];
    scaleTargetRef: { name: string };
    triggers: { type: string; metadata: Record<string, string> }[];
  };
}

const known = new Set([
  ...describeSettings().map((s) => s.environment),
  'DATABASE_URL',
  'NVIDIA_DRIVER_CAPABILITIES',
  'PLINTH_CONFIG',
]);

/** Environment variables that nothing reads. A renamed setting shows here. */
const strangers = (names: string[]): string[] => names.filter((name) => !known.has(name));

const documents = (path: string): Resource[] =>
  parseAllDocuments(read(path)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Resource;
  });

/** What the published schema of a resource's kind has against it. */
async function violations(resource: Resource): Promise<string | undefined> {
  const library = resource.apiVersion.startsWith('keda.') ? '@kubernetes-models/keda' : 'kubernetes-models';
  const models = (await import(`${library}/${resource.apiVersion}/${resource.kind}`)) as Record<
    string,
    new (
      data: object,
    ) => { validate(): void }
  >;
  try {
    new models[resource.kind](resource).validate();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const scaled = join('deploy', 'kubernetes', 'scaled');
const listed = (parse(read(join(scaled, 'kustomization.yaml'))) as { resources: string[] }).resources;
const variants: Record<string, Resource[]> = {
  single: documents('deploy/kubernetes/single.yaml'),
  scaled: listed.flatMap((file) => documents(join(scaled, file.replace('secret.yaml', 'secret.example.yaml')))),
};
const podsOf = (resources: Resource[]): Resource[] =>
  resources.filter((r) => r.kind === 'Deployment' || r.kind === 'StatefulSet');

describe('the Kubernetes manifests', () => {
  it('list every file of their folder', () => {
    const files = readdirSync(join(ROOT, scaled)).filter((f) => f.endsWith('.yaml') && f !== 'kustomization.yaml');
    expect(files.map((f) => f.replace('.example', '')).sort()).toEqual([...listed].sort());
  });

  for (const [variant, resources] of Object.entries(variants)) {
    const pods = podsOf(resources);

    it(`${variant}: every pod is confined, and writes to its volumes alone`, () => {
      expect(pods.length).toBeGreaterThan(0);
      for (const { spec } of pods) {
        const { containers, volumes, securityContext } = spec.template.spec;
        expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
        const names = [...volumes, ...(spec.volumeClaimTemplates ?? []).map((c) => c.metadata)].map((v) => v.name);
        for (const container of containers) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(container.volumeMounts.map((m) => m.mountPath).sort()).toEqual(['/data', '/tmp']);
          for (const mount of container.volumeMounts) expect(names).toContain(mount.name);
          expect(container.resources.limits.memory).toBeTruthy();
        }
      }
    });

    it(`${variant}: what requests reach answers on while it leaves the Service, and has time to end`, () => {
      for (const resource of resources.filter((r) => r.spec?.template?.spec.containers)) {
        const { containers, terminationGracePeriodSeconds } = resource.spec.template.spec;
        for (const { args, lifecycle } of containers) {
          const seconds = Number(lifecycle?.preStop.exec.command[1] ?? 0);
          if (args[0] === 'serve') expect(lifecycle!.preStop.exec.command).toEqual(['sleep', '5']);
          // The service itself takes at most 10 s.
          expect(terminationGracePeriodSeconds).toBeGreaterThan(seconds + 10);
        }
      }
    });

    it(`${variant}: probes ask addresses that exist, on ports that are open`, () => {
      const routes = read('src/server/routes/health.ts');
      for (const { spec } of pods)
        for (const container of spec.template.spec.containers)
          for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
            expect(routes).toContain(`'${probe.httpGet.path}'`);
            expect(container.ports.map((p) => p.name)).toContain(probe.httpGet.port);
          }
    });

    it(`${variant}: Services and selectors find their pods`, () => {
      for (const { spec } of pods) expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
      const services = resources.filter((r) => r.kind === 'Service');
      expect(services).toHaveLength(1);
      for (const { spec } of services) {
        const found = pods.filter((pod) =>
          Object.entries(spec.selector).every(([key, value]) => pod.spec.template.metadata.labels[key] === value),
        );
        expect(found).toHaveLength(1);
        const ports = found[0].spec.template.spec.containers[0].ports.map((p) => p.name);
        for (const port of spec.ports!) expect(ports).toContain(port.targetPort);
      }
    });

    it(`${variant}: the environment is one that the settings accept`, () => {
      const shared = resources.filter((r) => r.kind === 'ConfigMap' || r.kind === 'Secret');
      for (const { spec } of pods)
        for (const container of spec.template.spec.containers) {
          const environment: Record<string, string> = {};
          for (const { configMapRef, secretRef } of container.envFrom ?? []) {
            const [kind, name] = configMapRef ? ['ConfigMap', configMapRef.name] : ['Secret', secretRef?.name];
            const source = shared.find((r) => r.kind === kind && r.metadata.name === name);
            expect(source, `${kind} ${name}`).toBeDefined();
            Object.assign(environment, source!.data, source!.stringData);
          }
          for (const { name, value } of container.env) environment[name] = value ?? '';
          expect(strangers(Object.keys(environment))).toEqual([]);
          const { value } = loadSettings({ environment });
          expect(value.auth.mode).toBe('on');
          if (container.name === 'worker') {
            expect(value.worker.healthPort).toBe(container.ports[0].containerPort);
            expect(value.gpu.policy).toBe('required');
          }
          if (container.name === 'api') expect(value.worker.adapters).toEqual([]);
        }
    });
  }

  it.each(Object.entries(variants))('%s: every resource fits the schema of its kind', async (_, resources) => {
    for (const resource of resources) expect(await violations(resource), resource.kind).toBeUndefined();
  });

  it('are held against schemas that refuse what is wrong', async () => {
    const [deployment] = variants.scaled.filter((r) => r.kind === 'Deployment');
    const wrong = structuredClone(deployment);
    (wrong.spec.template.spec.containers[0] as { image: unknown }).image = 7;
    expect(await violations(wrong)).toContain('image');
    const lacking = structuredClone(deployment) as { spec: Partial<Resource['spec']> };
    delete lacking.spec.selector;
    expect(await violations(lacking as Resource)).toContain('selector');
  });

  it('scale workers by a query that the database understands', async () => {
    const scaler = variants.scaled.find((r) => r.kind === 'ScaledObject')!;
    const target = variants.scaled.find(
      (r) => r.kind === 'Deployment' && r.metadata.name === scaler.spec.scaleTargetRef.name,
    )!;
    expect(target.spec).not.toHaveProperty('replicas');
    const [{ type, metadata }] = scaler.spec.triggers;
    expect(type).toBe('postgresql');
    const secret = variants.scaled.find((r) => r.kind === 'Secret')!;
    expect(Object.keys(secret.stringData!)).toContain(metadata.connectionFromEnv);
    const folder = mkdtempSync(join(tmpdir(), 'plinth-scaler-'));
    const db = await openDatabase({ folder });
    try {
      await migrate(db);
      expect((await db.query<{ count: unknown }>(metadata.query)).map((row) => Number(row.count))).toEqual([0]);
    } finally {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

interface ComposeService {
  environment?: Record<string, string>;
  image?: string;
  read_only?: boolean;
  ports?: string[];
  deploy?: { resources?: { reservations?: { devices?: unknown[] } } };
}

describe('the Compose files', () => {
  const files = ['compose.yaml', 'compose.nvidia.yaml', 'compose.scaled.yaml'];
  const compose = (file: string) =>
    parse(read(file), { merge: true }) as { version?: string; services: Record<string, ComposeService> };

  it.each(files)(
    '%s has no obsolete version key, and publishes on the loopback address unless told otherwise',
    (file) => {
      const { version, services } = compose(file);
      expect(version).toBeUndefined();
      for (const { ports } of Object.values(services))
        for (const port of ports ?? [])
          expect(port).toMatch(/^(127\.0\.0\.1|\$\{PLINTH_PUBLISHED_ADDRESS:-127\.0\.0\.1\}):/);
    },
  );

  it.each(files)('%s sets variables that Plinth reads', (file) => {
    const services = Object.entries(compose(file).services).filter(([name]) => /plinth|api|worker/.test(name));
    expect(services.length).toBeGreaterThan(0);
    for (const [, { environment }] of services) expect(strangers(Object.keys(environment ?? {}))).toEqual([]);
  });

  it('reserve an NVIDIA GPU, demand 12 GiB of it, and ask for Vulkan', () => {
    const { environment, deploy } = compose('compose.nvidia.yaml').services.plinth;
    expect(deploy?.resources?.reservations?.devices).toEqual([{ driver: 'nvidia', count: 1, capabilities: ['gpu'] }]);
    expect(environment).toMatchObject({
      PLINTH_GPU_POLICY: 'required',
      PLINTH_GPU_MINIMUM_MEMORY_BYTES: `\${PLINTH_GPU_MINIMUM_MEMORY_BYTES:-${12 * 2 ** 30}}`,
      NVIDIA_DRIVER_CAPABILITIES: 'compute,utility,graphics',
    });
  });
});

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  it('starts from Debian 13 and Node 24 alone, and ends as a plain user with a command that gets signals', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((m) => m[1]);
    for (const base of bases) expect(base).toMatch(/^(node:24|debian:trixie)(-trixie)?-slim$/);
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["tini", "-e", "143", "--", "plinth"\]$/m);
    expect(dockerfile).toMatch(/^CMD \["serve"\]$/m);
    expect(dockerfile).toContain('/health/ready');
  });

  it('brings what NVIDIA’s Vulkan driver loads, and the software driver', () => {
    for (const name of ['libvulkan1', 'libegl1', 'libglvnd0', 'libx11-6', 'libxext6', 'mesa-vulkan-drivers'])
      expect(dockerfile).toContain(` ${name} `);
  });
});
