import { z } from 'zod';
import { newUploadSchema, uploadFileSchema, uploadSchema } from '../../api/upload.js';
import { type App, type Context, ownerOf } from '../context.js';
import type { UploadStore } from '../uploads/uploadStore.js';

const params = z.object({ id: z.uuid() });

export function uploadRoutes(app: App, _context: Context, uploads: UploadStore): void {
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
        errors: ['UPLOAD_TOO_LARGE', 'UPLOAD_TOO_MANY_FILES', 'ARCHIVE_UNSAFE_PATH', 'DISK_LOW'],
      },
    },
    async (request, reply) => {
      const upload = await uploads.create(ownerOf(request), request.body.name, request.body.files);
      return reply.code(201).header('location', `/v1/uploads/${upload.id}`).send(upload);
    },
  );

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

  app.patch(
    '/v1/uploads/:id/files/*',
    {
      schema: {
        operationId: 'appendToUpload',
        tags: ['uploads'],
        summary: 'Send the next part of a file',
        description:
          'Body: bytes as `application/offset+octet-stream`. What arrived before a connection broke is kept.',
        params: params.extend({ '*': z.string().min(1).max(1000).describe('Name of the file.') }),
        headers: z.object({ 'upload-offset': z.coerce.number().int().min(0).describe('Where the part begins.') }),
        response: { 200: uploadFileSchema },
      },
      config: {
        scope: 'submit',
        errors: [
          'UPLOAD_NOT_FOUND',
          'UPLOAD_OFFSET_CONFLICT',
          'UPLOAD_TOO_LARGE',
          'UPLOAD_TRUNCATED',
          'UPLOAD_TYPE_UNSUPPORTED',
          'DISK_LOW',
        ],
      },
    },
    async (request, reply) => {
      const { id, '*': name } = request.params;
      const file = await uploads.append(id, ownerOf(request), name, request.headers['upload-offset'], request);
      return reply.header('upload-offset', file.received).send(file);
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
      config: { scope: 'submit', errors: ['UPLOAD_NOT_FOUND'] },
    },
    async (request, reply) => {
      await uploads.remove(request.params.id, ownerOf(request));
      return reply.code(204).send();
    },
  );
}
