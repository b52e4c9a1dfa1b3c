import type { Example, NamedFile } from '../../api.js';
import type { Understanding } from '../../capture/understanding.js';

/** What is about to be made into a model: files that were dropped, or an example that is on the service already. */
export type Source = { files: NamedFile[]; facts: Understanding } | { example: Example; title: string };
