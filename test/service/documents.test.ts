import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, ERROR_KINDS } from '../../src/core/errors.js';
import { Metrics } from '../../src/server/health/metrics.js';
import { statusOf } from '../../src/server/problem.js';
import { describeSettings } from '../../src/server/settings.js';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

describe('docs/errors.md', () => {
  test('lists every code with kind, HTTP status, exit code and meaning, and nothing else', () => {
    const rows = [...read('errors.md').matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (\d+) \| (\d+) \| (.*) \|$/gm)].map((m) =>
      m.slice(1),
    );
    const expected = Object.entries(ERROR_CODES).map(([code, [kind, meaning]]) => [
      code,
      kind,
      String(statusOf(code as keyof typeof ERROR_CODES)),
      String(ERROR_KINDS[kind].exitCode),
      meaning,
    ]);
    // To bring it up to date: `npx tsx scripts/writeDocs.ts`.
    expect(rows).toEqual(expected);
  });
});

describe('docs/service.md', () => {
  test('lists every setting with its names', () => {
    const text = read('service.md');
    for (const { path, environment, flag } of describeSettings()) {
      expect(text, path).toContain(`| \`${path}\` | \`${environment}\` | \`${flag}\` |`);
    }
  });
});

describe('docs/grafana-dashboard.json', () => {
  test('asks only for metrics that there are', async () => {
    const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    const known = (await new Metrics().registry.getMetricsAsJSON()).map((m) => m.name);
    const asked = dashboard.panels.flatMap((p) =>
      p.targets.flatMap((t) => [...t.expr.matchAll(/plinth_\w+/g)].map(([name]) => name)),
    );
    expect(asked.length).toBeGreaterThan(15);
    for (const name of asked) expect(known, name).toContain(name.replace(/_(bucket|sum|count)$/, ''));
  });
});
