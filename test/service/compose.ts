/**
 * Reads a compose file as Docker does, as far as ours use it, so that what is written there can be started without
 * Docker.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  image?: string;
  entrypoint?: string[];
  command?: string[];
  environment: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas?: number | string };
}

/**
 * The services of a compose file, with variables in place of their names. @throws where a variable that must be set is
 * not
 */
export function readCompose(path: string, variables: Record<string, string>): Record<string, ComposeService> {
  const file = parse(readFileSync(path, 'utf8'), { merge: true }) as { services: Record<string, ComposeService> };
  const services = interpolate(file.services, variables) as Record<string, ComposeService>;
  for (const service of Object.values(services)) service.environment ??= {};
  return services;
}

/** An env file's variables. */
export function readEnvFile(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n');
  return Object.fromEntries(
    lines.filter((l) => /^\w+=/.test(l)).map((l) => [l.split('=')[0], l.slice(l.indexOf('=') + 1)]),
  );
}

function interpolate(value: unknown, variables: Record<string, string>): unknown {
  if (typeof value === 'string') return replace(value, variables);
  if (Array.isArray(value)) return value.map((v) => interpolate(v, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, interpolate(v, variables)]));
}

/** `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$$` is a dollar sign. */
export function replace(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}/g, (whole, name?: string, kind?: string, rest?: string) => {
    if (name === undefined) return whole === '$$' ? '$' : whole;
    const value = variables[name];
    if (value) return value;
    if (kind === '?') throw new Error(`${name}: ${rest}`);
    return kind === '-' ? (rest ?? '') : '';
  });
}
