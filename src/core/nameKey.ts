/** Equal for names that are one file on some file system: those that differ in case, or in how accents are written. */
export const keyOf = (path: string): string => path.normalize('NFC').toLowerCase();
