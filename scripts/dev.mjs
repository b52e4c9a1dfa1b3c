// `npm run dev`: the service from its sources, started anew when one changes, and the page from Vite, which reloads
// what changes in it. The page is at http://127.0.0.1:5173 (PLINTH_DEV_PORT) and reaches the service through Vite.
// Further arguments go to `plinth serve`.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createPage } from 'vite';
import { root } from './setUp.mjs';

const HOST = '127.0.0.1';
const api = `http://${HOST}:${await freePort()}`;
const pagePort = Number(process.env.PLINTH_DEV_PORT ?? 5173);
const { PLINTH_DEV_PORT: _, ...environment } = process.env;

const serve = ['serve', '--host', HOST, '--port', new URL(api).port, '--data', join(root, '.plinth/dev')];
const service = spawn(
  process.execPath,
  [
    join(root, 'node_modules/tsx/dist/cli.mjs'),
    ...['watch', '--clear-screen=false', '--include', join(root, 'src/**/*.wgsl')],
    join(root, 'src/cli/main.ts'),
    ...serve,
    ...process.argv.slice(2),
  ],
  { stdio: ['ignore', 'inherit', 'inherit'], env: environment },
);

const page = await createPage({
  configFile: join(root, 'web/vite.config.ts'),
  server: {
    host: HOST,
    port: pagePort,
    strictPort: true,
    proxy: { '^/(v1|health|docs|metrics)': { target: api, configure } },
  },
});
await page.listen();
console.log(`\nplinth dev: http://${HOST}:${pagePort}, the service at ${api}\n`);

// Vite's own listener would end this process before the service has ended.
process.removeAllListeners('SIGTERM');
let asked = false;
service.on('exit', (code) => stop(asked ? 0 : (code ?? 1)));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    asked = true;
    service.kill('SIGTERM');
  });
}

/** The page's requests are the service's own; those of other pages stay foreign. */
function configure(proxy) {
  proxy.on('proxyReq', (request, { headers }) => {
    if (headers.host !== `${HOST}:${pagePort}`) return;
    request.setHeader('host', new URL(api).host);
    if (headers.origin === `http://${headers.host}`) request.setHeader('origin', api);
  });
}

async function stop(code) {
  await page.close();
  process.exit(code);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, HOST, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
