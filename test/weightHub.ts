import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { WeightManifest } from '../src/weights/manifest.js';

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A safetensors file of one tensor of that many bytes, which `seed` tells from others. */
export function tensorFile(length: number, seed = 1, dtype = 'U8'): Buffer {
  const header = Buffer.from(JSON.stringify({ w: { dtype, shape: [length], data_offsets: [0, length] } }));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([head, header, Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251))]);
}

/** A manifest of two repositories with three files that are needed and one that is not. */
export const SMALL: WeightManifest = {
  method: 'small',
  about: 'little',
  repositories: [
    {
      name: 'some/flow',
      revision: 'main',
      licence: { terms: 'MIT', url: 'https://example.org/flow' },
      files: [
        { path: 'pipeline.json' },
        { path: 'ckpts/a.safetensors' },
        { path: 'ckpts/b.safetensors', optional: true },
      ],
    },
    {
      name: 'other/eyes',
      revision: 'main',
      licence: { terms: 'Apache-2.0', url: 'https://example.org/eyes' },
      files: [{ path: 'model.safetensors' }],
    },
  ],
};

/** What `SMALL` names, by `repository/path`. */
export const smallFiles = (): Record<string, Buffer> => ({
  'some/flow/pipeline.json': Buffer.from('{"name": "small"}'),
  'some/flow/ckpts/a.safetensors': tensorFile(300_000, 1),
  'some/flow/ckpts/b.safetensors': tensorFile(20_000, 2),
  'other/eyes/model.safetensors': tensorFile(100_000, 3),
});

/** A request that one of the two servers got. */
interface Asked {
  server: 'hub' | 'store';
  method: string;
  url: string;
  authorization?: string;
  range?: string;
}

/** How the servers misbehave. */
interface Faults {
  /** Bytes of a body after which the connection is cut, once. */
  cutAfter?: number;
  /** Ranges are not understood. */
  noRanges?: boolean;
  /** Status of the hub for everything. */
  status?: number;
  /** SHA-256 that the hub states for every large file. */
  stated?: string;
  /** The store sends so many bytes more, or fewer, than the hub states. */
  longer?: number;
  /** The store answers and then sends nothing. */
  silent?: boolean;
  /** The hub states no hash and no size, and sends files itself. */
  plain?: boolean;
  /** The hub redirects to itself for ever. */
  circle?: boolean;
}

export const COMMIT = 'c0ffee'.padEnd(40, '0');

/**
 * Two servers on loopback that answer as Hugging Face does: the hub states size and SHA-256 of large files and
 * redirects to the store, which is another host and takes signed addresses and no HEAD. Small files come from the hub.
 */
export function useWeightHub(): (files: Record<string, Buffer>) => Promise<{
  endpoint: string;
  faults: Faults;
  asked: Asked[];
}> {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
  const listen = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  return async (files) => {
    const faults: Faults = {};
    const asked: Asked[] = [];
    const note = (server: Asked['server'], { method, url, headers }: IncomingMessage): void =>
      void asked.push({
        server,
        method: method!,
        url: url!,
        authorization: headers.authorization,
        range: headers.range,
      });
    const send = (request: IncomingMessage, response: ServerResponse, file: Buffer, longer = 0): void => {
      const whole = longer < 0 ? file.subarray(0, longer) : Buffer.concat([file, Buffer.alloc(longer)]);
      const from = faults.noRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const body = whole.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': body.length,
        ...(from > 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
      });
      if (faults.silent) response.flushHeaders();
      else if (request.method === 'HEAD') response.end();
      else if (faults.cutAfter !== undefined && body.length > faults.cutAfter) {
        response.write(body.subarray(0, faults.cutAfter), () => setTimeout(() => response.destroy(), 50));
        faults.cutAfter = undefined;
      } else response.end(body);
    };
    const store = await listen((request, response) => {
      note('store', request);
      const file = files[decodeURIComponent(request.url!.slice(1).replace(/\?.*/, ''))];
      if (request.method === 'HEAD' || !request.url!.endsWith('?signature=secret')) response.writeHead(403).end();
      else send(request, response, file, faults.longer);
    });
    const endpoint = await listen((request, response) => {
      note('hub', request);
      const [, repository, path] = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.*)$/.exec(request.url!) ?? [];
      const file = files[`${repository}/${path}`];
      if (faults.status || !file) response.writeHead(faults.status ?? 404).end('no');
      else if (faults.circle) response.writeHead(307, { location: request.url! }).end();
      else if (faults.plain) send(request, response, file);
      else if (path.endsWith('.json')) {
        response.setHeader('x-repo-commit', COMMIT);
        response.setHeader('etag', '"0123456789abcdef0123456789abcdef01234567"');
        send(request, response, file);
      } else {
        response
          .writeHead(302, {
            location: `${store}/${repository}/${path}?signature=secret`,
            'x-repo-commit': COMMIT,
            'x-linked-size': file.length,
            'x-linked-etag': `"${faults.stated ?? hashOf(file)}"`,
          })
          .end();
      }
    });
    return { endpoint, faults, asked };
  };
}
