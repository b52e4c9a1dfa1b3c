// What `npm run …` does in a clone, a fresh one too: `npm run demo`, `npm test` and so on set up what they need and go
// on. Nothing but a Node, of any age, is needed before.
import { delimiter, dirname, join } from 'node:path';
import { endWithStarter, goOnWith, isSupported } from '../bin/node.js';
import { fetchNode } from './fetchNode.mjs';
import { alone, build, installPackages, root, run, setUpAdapter, step } from './setUp.mjs';

const [job, ...rest] = process.argv.slice(2);
const program = (path, ...args) => run(process.execPath, [join(root, path), ...args]);
const npm = (script) => run('npm', ['run', '--silent', script], { shell: process.platform === 'win32' });
const BUILT = [join(root, 'bin/plinth.js')];
const SOURCES = ['--import', 'tsx', join(root, 'src/cli/main.ts')];

/** Jobs by name: what they need before, and what they do. */
const jobs = {
  setup: { needs: ['dist', 'adapter'], work: () => {} },
  demo: {
    needs: ['dist', 'adapter'],
    work: () =>
      program(
        'bin/plinth.js',
        ...['reconstruct', join(root, 'examples/captures/vase-six'), '-o', join(root, 'out/demo')],
        ...rest,
      ),
  },
  test: { needs: ['dist', 'adapter'], work: () => program('node_modules/vitest/vitest.mjs', 'run', ...rest) },
  // Those two take commands from the sources as well, so that nothing has to be built before a test.
  'test:file': { needs: ['adapter'], work: () => testSources('run') },
  'test:watch': { needs: ['adapter'], work: () => testSources('watch') },
  dev: { needs: ['adapter'], work: () => program('scripts/dev.mjs', ...rest) },
  bench: {
    needs: ['dist', 'adapter'],
    work: () => program('node_modules/tsx/dist/cli.mjs', 'bench/bench.ts', ...rest),
  },
  check: {
    needs: [],
    work: () => {
      for (const script of ['check:format', 'check:types', 'check:rooms', 'check:docs']) npm(script);
    },
  },
};

const chosen = jobs[job];
if (!chosen) {
  console.error(`unknown job "${job}": use ${Object.keys(jobs).join(', ')}`);
  process.exit(2);
}
if (isSupported(process.versions.node)) {
  endWithStarter();
  await work();
} else {
  try {
    goOnWith(fetchNode(step), [join(root, 'scripts/bootstrap.mjs'), job, ...rest]);
  } catch (error) {
    console.error(`\nplinth: NODE_TOO_OLD\n  ${error.message}`);
    process.exit(3);
  }
}

async function work() {
  // npm, its scripts and everything below use this Node, not whichever is first in the path.
  process.env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  process.chdir(root);
  await alone(() => {
    installPackages();
    if (chosen.needs.includes('dist')) build();
    if (chosen.needs.includes('adapter')) setUpAdapter(chosen.needs.includes('dist') ? BUILT : SOURCES);
  });
  chosen.work();
}

function testSources(mode) {
  process.env.PLINTH_TEST_SOURCES = '1';
  program('node_modules/vitest/vitest.mjs', mode, ...rest);
}
