/**
 * Writes docs/quality.schema.json from the schema in code: `npx tsx scripts/writeQualitySchema.ts && npx biome format
 * --write docs`.
 */
import { writeFile } from 'node:fs/promises';
import { qualityJsonSchema } from '../src/quality/schema.js';

await writeFile(
  new URL('../docs/quality.schema.json', import.meta.url),
  `${JSON.stringify(qualityJsonSchema(), null, 2)}\n`,
);
