/**
 * Memory of the server while a zip of 500 MB is uploaded, as a raw body and in a form. `tsx bench/service/upload.ts [MB
 * = 500]`
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';
import { Random } from '../../src/core/random.js';
import { startServerProcess } from '../../test/service/serverProcess.js';
import { PIXEL } from '../../test/service/standInEngine.js';

const megabytes = Number(process.argv[2] ?? 500);
const data = await mkdtemp(join(tmpdir(), 'plinth-upload-'));
const path = join(data, 'capture.zip');
const archive = new ZipArchive({ store: true });
const random = new Random(1);
const written = pipeline(archive, createWriteStream(path));
archive.append('{"frames": []}', { name: 'transforms.json' });
for (let i = 0; i < megabytes / 10; i++) {
  const picture = Buffer.alloc(10 * 2 ** 20, Buffer.from(Array.from({ length: 4099 }, () => random.integer(256))));
  PIXEL.copy(picture);
  archive.append(picture, { name: `images/r_${i}.png` });
}
await archive.finalize();
await written;

// Making the database takes memory that uploads could reuse, so a server that finds it made is measured.
await (await startServerProcess(join(data, 'server'))).end('SIGTERM');
const server = await startServerProcess(join(data, 'server'));
const rss = async (): Promise<number> => {
  const text = await readFile(`/proc/${server.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(text)![1]) / 1024;
};
const before = await rss();
let peak = before;
const timer = setInterval(async () => {
  peak = Math.max(peak, await rss());
}, 50);

async function send(form: boolean): Promise<number> {
  const file = await open(path);
  const { size } = await file.stat();
  const head = form
    ? '--b\r\nContent-Disposition: form-data; name="files"; filename="capture.zip"\r\nContent-Type: ' +
      'application/zip\r\n\r\n'
    : '';
  const tail = form ? '\r\n--b--\r\n' : '';
  return await new Promise<number>((resolve, reject) => {
    const post = request(
      `${server.url}/v1/jobs`,
      {
        method: 'POST',
        headers: {
          'content-type': form ? 'multipart/form-data; boundary=b' : 'application/zip',
          'content-length': size + head.length + tail.length,
        },
      },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode!));
      },
    ).once('error', reject);
    post.write(head);
    const source = file.createReadStream();
    source.on('data', (chunk) => {
      if (post.write(chunk)) return;
      source.pause();
      post.once('drain', () => source.resume());
    });
    source.once('end', () => post.end(tail));
  });
}
const raw = await send(false);
const afterRaw = peak;
const form = await send(true);
clearInterval(timer);
console.log(
  JSON.stringify({
    megabytes,
    status: { raw, form },
    memoryMiB: {
      before: Math.round(before),
      growthRaw: Math.round(afterRaw - before),
      growthBoth: Math.round(peak - before),
    },
  }),
);
await server.end('SIGKILL');
await rm(data, { recursive: true, force: true });
