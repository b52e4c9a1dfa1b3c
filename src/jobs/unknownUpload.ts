import { PlinthError } from '../core/errors.js';
import { remedy, setting } from '../core/remedy.js';

/** `UPLOAD_NOT_FOUND`, for what is not there, what a job has taken, and what is another's. */
export const unknownUpload = (id: string): PlinthError =>
  new PlinthError('UPLOAD_NOT_FOUND', {
    found: `There is no upload ${id}`,
    remedy: remedy`begin a new one; uploads that nobody goes on with are removed after ${setting('limits.uploadExpirySeconds')}`,
    subject: id,
  });
