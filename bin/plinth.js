#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { cachedNode, endWithStarter, goOnWith, isSupported, MINIMUM_NODE } from './node.js';

const other = isSupported(process.versions.node) ? undefined : cachedNode();
if (isSupported(process.versions.node)) {
  endWithStarter();
  await import('../dist/cli/main.js');
} else if (other) {
  goOnWith(other, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
} else {
  console.error(`
plinth: NODE_TOO_OLD
  Plinth runs on Node ${process.versions.node} here
  Expected: Node ${MINIMUM_NODE} or newer
  Get it from nodejs.org or your package manager. In a clone, \`npm run setup\` fetches one into Plinth's cache.`);
  process.exitCode = 3;
}
