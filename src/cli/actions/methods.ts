import { listMethods, optionsJsonSchema } from '../../methods/registry.js';
import { unavailable } from '../../pipeline/availability.js';
import { emit } from '../terminal.js';
import { CLI_WORDS } from '../words.js';

interface PropertySchema {
  type?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  description?: string;
}

export async function runMethods(options: { json?: boolean }): Promise<void> {
  for (const method of listMethods()) {
    const schema = optionsJsonSchema(method);
    const refusal = await unavailable(method);
    if (options.json) {
      const { name, title, description, presets } = method;
      emit({ name, title, description, presets, options: schema, unavailable: refusal?.toJSON() });
      continue;
    }
    process.stdout.write(`${method.name} – ${method.title}\n  ${method.description}\n`);
    if (refusal) process.stdout.write(`  Cannot run here: ${refusal.inWords(CLI_WORDS)}\n`);
    for (const [name, property] of Object.entries(schema.properties as Record<string, PropertySchema>)) {
      const kind = property.enum?.join('|') ?? property.type ?? '';
      const range = property.minimum === undefined ? '' : ` ${property.minimum}…${property.maximum}`;
      const initial = property.default === undefined ? '' : `, default ${JSON.stringify(property.default)}`;
      process.stdout.write(`    ${name} (${kind}${range}${initial})\n      ${property.description ?? ''}\n`);
    }
    for (const [preset, values] of Object.entries(method.presets))
      process.stdout.write(`    preset ${preset}: ${JSON.stringify(values)}\n`);
    process.stdout.write('\n');
  }
}
