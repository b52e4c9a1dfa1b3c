/** What no name of a file may hold on some system, and marks that turn the order of letters round, and so an ending. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;
/** Devices, on Windows, whatever comes after a dot. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** A name that every system takes for a file, from what people called the thing. */
export function fileName(name: string, ending: string): string {
  const words = name
    .normalize('NFC')
    .replace(FORBIDDEN, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+/, '')
    .slice(0, 80)
    // Half a character that the cut has left, and what may not stand at an end.
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/[. ]+$/, '')
    .replace(DEVICE, '$1_');
  return `${words || 'model'}.${ending}`;
}
