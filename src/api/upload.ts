import { z } from 'zod';
import { storedText } from './text.js';

/** One file of an upload that may be interrupted. */
export const uploadFileSchema = z.object({
  name: z.string(),
  bytes: z.int(),
  received: z.int().describe('Where the next part begins.'),
});
export type UploadFile = z.infer<typeof uploadFileSchema>;

export const uploadSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe('When it is removed if nobody goes on with it.'),
    files: z.array(
      uploadFileSchema.extend({ url: z.string().describe('Address of the file, an upload of the tus protocol.') }),
    ),
    bytes: z.int(),
    received: z.int(),
    complete: z.boolean(),
  })
  .meta({ id: 'Upload' });
/** Files on their way to the service, which can go on after an interruption. */
export type Upload = z.infer<typeof uploadSchema>;

export const directUploadSchema = z
  .object({
    id: z.uuid().describe('For `upload` of a job.'),
    name: z.string(),
    bytes: z.int(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe('When it is removed if no job takes it.'),
    addressExpiresAt: z.iso.datetime().describe('Until when a `PUT` to the address may begin.'),
    url: z.url().describe('Address in the storage: takes the file by `PUT`, of exactly `bytes`, without a key.'),
  })
  .meta({ id: 'DirectUpload' });
/** A zip that the client brings to the storage itself. */
export type DirectUpload = z.infer<typeof directUploadSchema>;

/** Says how large the zip is. */
export const newDirectUploadSchema = z.strictObject({
  name: storedText(200).trim().min(1).default('upload'),
  bytes: z.int().min(1).describe('Of the zip.'),
});

/** Address of one file of an upload, which is an upload of the tus protocol. */
export const uploadFileUrl = (id: string, name: string): string =>
  `/v1/uploads/${id}/files/${name.split('/').map(encodeURIComponent).join('/')}`;

/** Names the files that will come. */
export const newUploadSchema = z.strictObject({
  name: storedText(200).trim().min(1).default('upload'),
  files: z
    .array(z.strictObject({ name: storedText(1000).min(1).describe('Relative path.'), bytes: z.int().min(0) }))
    .min(1),
});
