import { PlinthError } from '../../../core/errors.js';

/** The error for a model none of whose pictures is there. */
export function missingPicture(name: string, folder: string): PlinthError {
  return new PlinthError('CAPTURE_FILE_MISSING', {
    found: `The COLMAP model names ${name}, which is not in ${folder || 'the capture'}`,
    expected: 'the pictures of the model in images/ beside sparse/',
    remedy: 'Add the pictures, by the names that the model has',
    subject: name,
  });
}
