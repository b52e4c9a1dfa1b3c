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

/** The error for a model of a distorting lens whose pictures are there only after their distortion was undone. */
export function undistortedPictures(model: string, pictures: string): PlinthError {
  return new PlinthError('CAPTURE_FILE_MISSING', {
    found:
      `The pictures of the COLMAP model in ${model || 'the capture'} are only in ${pictures}, where their ` +
      'distortion is undone, and the model is that of the distorted ones',
    expected: 'the pictures as they were solved, or the model that was written with the undistorted ones',
    remedy: 'Add the original pictures as images/, or the folder sparse beside the undistorted ones',
    subject: pictures,
  });
}
