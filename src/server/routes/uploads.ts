import { z } from 'zod';
import {
  directUploadSchema,
  newDirectUploadSchema,
  newUploadSchema,
  uploadFileSchema,
  uploadSchema,
} from '../../api/upload.js';
import { PlinthError } from '../../core/errors.js';
import { requireQuotas } from '../../jobs/database/quotas.js';
import { quotasOf } from '../access/guard.js';
import { type App, type Context, ownerOf } from '../context.js';
import { FieldError } from '../problem.js';
import { DirectUploads } from '../uploads/directUploads.js';
import { inUploadSlot } from '../uploads/slots.js';
import {
  CHECKSUM,
  isTus,
  parseChecksum,
  parseMetadata,
  refuseUnspoken,
  requirePartType,
  tellFile,
} from '../uploads/tus.js';
import { CHECKSUMS, type UploadStore } from '../uploads/uploadStore.js';

const params = z.object({ id: z.uuid() });
const fileParams = params.extend({ '*': z.string().min(1).max(1000).describe('Name of the file.') });
const tusVersion = z.literal('1.0.0').optional().describe('`1.0.0`: the client speaks tus.');
const checksum = z
  .string()
  .regex(CHECKSUM, `must be one of ${CHECKSUMS.join(', ')}, a space, and the digest in base64`)
  .describe('Algorithm (`sha1`, `sha256`, `md5`), a space, and the digest of the part in base64.');
const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export function uploadRoutes(app: App, context: Context, uploads: UploadStore): void {
  app.addHook('onClose', async () => uploads.close());
  const direct = new DirectUploads(context.service.artifacts, context.settings.limits);

  app.post(
    '/v1/uploads',
    {
      schema: {
        operationId: 'beginUpload',
        tags: ['uploads'],
        summary: 'Begin an upload that may be interrupted',
        description: 'Names the files that will come. Send each with `PATCH`, then submit a job with `{"upload": id}`.',
        body: newUploadSchema,
        response: { 201: uploadSchema },
      },
      bodyLimit: 16 * 2 ** 20,
      config: {
        scope: 'submit',
        errors: ['UPLOAD_TOO_LARGE', 'UPLOAD_TOO_MANY_FILES', 'ARCHIVE_UNSAFE_PATH', 'TOO_MANY_UPLOADS', 'DISK_LOW'],
      },
    },
    async (request, reply) => {
      const upload = await uploads.create(ownerOf(request), request.body.name, request.body.files);
      return reply.code(201).header('location', `/v1/uploads/${upload.id}`).send(upload);
    },
  );

  app.post(
    '/v1/uploads/direct',
    {
      schema: {
        operationId: 'beginDirectUpload',
        tags: ['uploads'],
        summary: 'Begin an upload that goes to the storage itself',
        description:
          'Answers an address in the storage that takes one zip by `PUT`, past the service. When it is there, submit a ' +
          'job with `{"upload": id}`; the zip is checked then. Only where the storage is S3 and clients reach it.',
        body: newDirectUploadSchema,
        response: { 201: directUploadSchema },
      },
      config: {
        scope: 'submit',
        errors: [
          'UPLOAD_DIRECT_OFF',
          'UPLOAD_TOO_LARGE',
          'TOO_MANY_UPLOADS',
          'STORAGE_UNAVAILABLE',
          'QUOTA_JOBS',
          'QUOTA_GPU_TIME',
          'QUOTA_STORAGE',
        ],
      },
    },
    async (request, reply) => {
      const { name, bytes } = request.body;
      await requireQuotas(context.service.db, request.apiKey?.id ?? null, quotasOf(request, context), bytes);
      return reply.code(201).send(await direct.create(ownerOf(request), name, bytes));
    },
  );

  // Else `direct` would be taken for the id of an upload.
  app.route({
    method: ['GET', 'DELETE'],
    url: '/v1/uploads/direct',
    schema: { hide: true },
    config: { scope: 'submit' },
    handler: async (request, reply) => {
      reply.header('allow', 'POST');
      const found = `${request.method} /v1/uploads/direct`;
      throw new PlinthError('METHOD_NOT_ALLOWED', { found, expected: 'POST', subject: request.method });
    },
  });

  app.post(
    '/v1/tus',
    {
      schema: {
        operationId: 'createTusUpload',
        tags: ['uploads'],
        summary: 'Begin an upload of one file by the tus protocol',
        description:
          'Creation of tus 1.0.0, for clients of that protocol; a body is the first part. `Location` is the ' +
          'file, `/v1/uploads/{id}/files/{name}`: when it is complete, submit a job with `{"upload": id}`. A ' +
          'capture of several files is begun with `POST /v1/uploads`, which answers one such address for ' +
          'each.',
        headers: z.object({
          'tus-resumable': tusVersion,
          'upload-length': offset.describe('Bytes of the file.'),
          'upload-metadata': z
            .string()
            .max(8000)
            .optional()
            .describe('Names with values in base64; `filename` is the name of the file. Default: `capture.zip`.'),
          'upload-checksum': checksum.optional(),
        }),
        response: { 201: z.undefined().describe('Begun.') },
      },
      config: {
        scope: 'submit',
        errors: [
          'UPLOAD_TOO_LARGE',
          'UPLOAD_TOO_SLOW',
          'UPLOAD_TRUNCATED',
          'UPLOAD_TYPE_UNSUPPORTED',
          'UPLOAD_CHECKSUM_MISMATCH',
          'ARCHIVE_UNSAFE_PATH',
          'TOO_MANY_UPLOADS',
          'TUS_VERSION_UNSUPPORTED',
          'DISK_LOW',
        ],
      },
    },
    async (request, reply) => {
      const { headers } = request;
      refuseUnspoken(headers);
      const metadata = parseMetadata(headers['upload-metadata']);
      const name = metadata.get('filename') || 'capture.zip';
      if (name.length > 200) throw new FieldError([{ field: 'Upload-Metadata', message: 'the name is too long' }]);
      const checksum = parseChecksum(headers['upload-checksum']);
      const hasBody = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
      if (hasBody) requirePartType(request);
      const owner = ownerOf(request);
      const upload = await uploads.create(owner, name, [{ name, bytes: headers['upload-length'] }]);
      const [file] = upload.files;
      // From here on the client has an address to go on with, whatever becomes of the body.
      reply.header('location', file.url);
      const now = hasBody
        ? await inUploadSlot(context, () =>
            uploads.append(upload.id, owner, file.name, { offset: 0, checksum }, request),
          )
        : { ...file, expiresAt: upload.expiresAt };
      return tellFile(reply, now).code(201).send();
    },
  );

  for (const url of ['/v1/tus', '/v1/uploads/:id/files/*']) {
    // What is answered is in the headers, which `speakTus` has set.
    app.options(url, { schema: { hide: true }, config: { scope: 'public' } }, async (_request, reply) =>
      reply.code(204).send(),
    );
  }

  app.get(
    '/v1/uploads/:id',
    {
      schema: {
        operationId: 'getUpload',
        tags: ['uploads'],
        summary: 'What of an upload is here',
        params,
        response: { 200: uploadSchema },
      },
      config: { scope: 'submit', errors: ['UPLOAD_NOT_FOUND'] },
    },
    async (request) => uploads.get(request.params.id, ownerOf(request)),
  );

  app.head(
    '/v1/uploads/:id/files/*',
    {
      schema: {
        operationId: 'getUploadOffset',
        tags: ['uploads'],
        summary: 'Where the next part of a file begins',
        params: fileParams,
        headers: z.object({ 'tus-resumable': tusVersion }),
        response: { 200: z.undefined().describe('In `Upload-Offset`, and the size in `Upload-Length`.') },
      },
      config: { scope: 'submit', errors: ['UPLOAD_NOT_FOUND', 'TUS_VERSION_UNSUPPORTED'] },
    },
    async (request, reply) => {
      const { id, '*': name } = request.params;
      const file = await uploads.file(id, ownerOf(request), name);
      const metadata = `filename ${Buffer.from(name).toString('base64')}`;
      return tellFile(reply, file).headers({ 'upload-length': file.bytes, 'upload-metadata': metadata }).send();
    },
  );

  app.patch(
    '/v1/uploads/:id/files/*',
    {
      schema: {
        operationId: 'appendToUpload',
        tags: ['uploads'],
        summary: 'Send the next part of a file',
        description:
          'Body: bytes as `application/offset+octet-stream`. What arrived before a connection broke is kept, ' +
          'save where a checksum was sent: that holds for whole parts. With `Tus-Resumable` the answer is ' +
          'that of the tus protocol, 204.',
        params: fileParams,
        headers: z.object({
          'tus-resumable': tusVersion,
          'upload-offset': offset.describe('Where the part begins.'),
          'upload-checksum': checksum.optional(),
        }),
        response: {
          200: uploadFileSchema,
          204: z.undefined().describe('Taken, in the tus protocol; `Upload-Offset` says where the next part begins.'),
        },
      },
      config: {
        scope: 'submit',
        // One of many parts of what `beginUpload` stands for.
        unaudited: true,
        errors: [
          'UPLOAD_NOT_FOUND',
          'UPLOAD_OFFSET_CONFLICT',
          'UPLOAD_CHECKSUM_MISMATCH',
          'UPLOAD_TOO_LARGE',
          'UPLOAD_TOO_SLOW',
          'UPLOAD_TRUNCATED',
          'UPLOAD_TYPE_UNSUPPORTED',
          'TOO_MANY_UPLOADS',
          'TUS_VERSION_UNSUPPORTED',
          'DISK_LOW',
        ],
      },
    },
    async (request, reply) => {
      const { id, '*': name } = request.params;
      const { headers } = request;
      requirePartType(request);
      const part = { offset: headers['upload-offset'], checksum: parseChecksum(headers['upload-checksum']) };
      const file = await inUploadSlot(context, () => uploads.append(id, ownerOf(request), name, part, request));
      tellFile(reply, file);
      if (isTus(request)) return reply.code(204).send();
      return reply.code(200).send({ name: file.name, bytes: file.bytes, received: file.received });
    },
  );

  app.delete(
    '/v1/uploads/:id/files/*',
    {
      schema: {
        operationId: 'abandonUploadFile',
        tags: ['uploads'],
        summary: 'Take a file out of an upload',
        description: 'Termination of the tus protocol. With its last file the upload goes.',
        params: fileParams,
        headers: z.object({ 'tus-resumable': tusVersion }),
        response: { 204: z.undefined().describe('Gone.') },
      },
      config: { scope: 'submit', errors: ['UPLOAD_NOT_FOUND', 'TUS_VERSION_UNSUPPORTED'] },
    },
    async (request, reply) => {
      await uploads.removeFile(request.params.id, ownerOf(request), request.params['*']);
      return reply.code(204).send();
    },
  );

  app.delete(
    '/v1/uploads/:id',
    {
      schema: {
        operationId: 'abandonUpload',
        tags: ['uploads'],
        summary: 'Throw an upload away',
        params,
        response: { 204: z.undefined().describe('Gone.') },
      },
      config: { scope: 'submit', errors: ['UPLOAD_NOT_FOUND', 'STORAGE_UNAVAILABLE'] },
    },
    async (request, reply) => {
      const { id } = request.params;
      const owner = ownerOf(request);
      if (!(await direct.remove(id, owner))) await uploads.remove(id, owner);
      return reply.code(204).send();
    },
  );
}
