/** File name endings of pictures, in the order in which a name without ending is tried. */
export const IMAGE_EXTENSIONS = ['png', 'jpg', 'jpeg', 'webp', 'avif', 'tif', 'tiff'] as const;

export const isImageName = (name: string): boolean =>
  IMAGE_EXTENSIONS.some((extension) => name.toLowerCase().endsWith(`.${extension}`));

/** Whether a file of this name is likely to be lossy. */
export const isLossyName = (name: string): boolean => /\.(jpe?g|webp|avif)$/i.test(name);

/** Pictures in formats that many tools write and Plinth does not read. */
export const isOtherPictureName = (name: string): boolean =>
  /\.(gif|bmp|tga|heic|heif|hif|jxl|jp2|psd|svg|pdf|exr|hdr|dng|cr2|cr3|nef|arw|orf|rw2|raf)$/i.test(name);

/** Photos as iPhones take them, which an optional decoder reads. */
export const isHeicName = (name: string): boolean => /\.(heic|heif|hif)$/i.test(name);

export const isVideoName = (name: string): boolean => /\.(mp4|mov|m4v|avi|mkv|webm|insv|3gp|mts)$/i.test(name);

/** File name endings of depth maps, in the order in which a name without ending is tried. */
export const DEPTH_EXTENSIONS = ['png', 'exr', 'tif', 'tiff', 'npy', 'npz'] as const;

export const isDepthName = (name: string): boolean =>
  DEPTH_EXTENSIONS.some((extension) => name.toLowerCase().endsWith(`.${extension}`));

/** Folders that hold masks, or depth maps, by their own name; and what else tools write beside pictures. */
export const isMaskFolder = (folder: string): boolean =>
  /^(dynamic_)?(masks?|mattes?|alphas?|silhouettes?|segmentations?)(_\d+)?$/i.test(fileName(folder));
export const isDepthFolder = (folder: string): boolean =>
  /^(depths?|depth_?maps?|depth_renders|depth_images?|sensor_depth|lidar_depth)(_\d+)?$/i.test(fileName(folder));
export const isSideFolder = (folder: string): boolean =>
  isMaskFolder(folder) ||
  isDepthFolder(folder) ||
  /^(normals?|confidence|thumbnails?|previews?)$/i.test(fileName(folder));

/** A picture that lies beside another and says something of it: its mask, depth, normals. */
export const isSidePictureName = (name: string): boolean =>
  /(^dynamic_mask_|[_.-](depth|normal|mask|alpha)(_\d+)?\.\w+$)/i.test(name);

/** Left behind by archivers and desktops; hidden files and folders too. */
export const isLitter = (path: string): boolean => /(^|\/)(\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini)(\/|$)/i.test(path);

/** The last part of a path. */
export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The folder of a path; '' for the capture itself. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** A path or name without its last ending. */
export const withoutEnding = (path: string): string => path.replace(/\.[^./]+$/, '');

/** Joins paths; '' stands for the capture itself. */
export const joinPath = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');

/** The six views without cameras, in the order in which everything about them is indexed. */
export const VIEW_NAMES = ['front', 'back', 'left', 'right', 'top', 'bottom'] as const;
export type ViewName = (typeof VIEW_NAMES)[number];
