import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import sharp, { type Sharp } from 'sharp';

/** Widths in which pictures can be had, in pixels; few, so that few have to be made and kept. */
export const PICTURE_WIDTHS = ['120', '240', '480', '1280'] as const;

/** Bytes of pictures that are kept to be sent again. */
const KEPT_BYTES = 24 * 2 ** 20;
/** Share of the cut-away pixels that may be of one colour before they count as an empty background. */
const EMPTY_SHARE = 0.5;

/** How a picture is wanted. */
export interface PictureForm {
  width: number;
  /**
   * False: with what lies around the object, where the file still has it under its transparency. Where it has nothing
   * there, the picture stays cut out.
   */
  cutOut: boolean;
}

/** Makes small pictures of large ones, as WebP, and keeps the latest. */
export class PictureScaler {
  private readonly kept = new Map<string, Buffer>();
  private bytes = 0;

  /**
   * @param key names the content of the picture: another picture has another key
   * @param read is called where it has to be made
   */
  async scale(key: string, form: PictureForm, read: () => Promise<Readable>): Promise<Buffer> {
    const name = `${key} ${form.width} ${form.cutOut}`;
    const known = this.kept.get(name);
    if (known) {
      this.kept.delete(name);
      this.kept.set(name, known);
      return known;
    }
    const made = await scalePicture(await buffer(await read()), form);
    this.kept.set(name, made);
    this.bytes += made.length;
    for (const [oldest, { length }] of this.kept) {
      if (this.bytes <= KEPT_BYTES) break;
      this.kept.delete(oldest);
      this.bytes -= length;
    }
    return made;
  }
}

/** A picture at a width, or its own where that is less, as WebP. */
export async function scalePicture(bytes: Buffer, { width, cutOut }: PictureForm): Promise<Buffer> {
  const whole = cutOut ? undefined : await uncut(bytes);
  const scaled = (whole ?? sharp(bytes, { failOn: 'error' })).resize({ width, withoutEnlargement: true });
  return await scaled.webp({ quality: 86, alphaQuality: 90, smartSubsample: true, effort: 3 }).toBuffer();
}

/**
 * The picture without its transparency, where it still shows what that hides: an emptied background is of one colour.
 * Taken away before anything else, for whoever scales a transparent picture drops the colours that nobody sees.
 */
async function uncut(bytes: Buffer): Promise<Sharp | undefined> {
  const { data, info } = await sharp(bytes, { failOn: 'error' }).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 4) return undefined;
  const opaque = Buffer.alloc(width * height * 3);
  const seen = new Map<number, number>();
  let hidden = 0;
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    data.copy(opaque, to, from, from + 3);
    if (data[from + 3] !== 0) continue;
    hidden++;
    const colour = (data[from] << 16) | (data[from + 1] << 8) | data[from + 2];
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  const emptied = hidden === 0 || largest(seen) >= EMPTY_SHARE * hidden;
  return emptied ? undefined : sharp(opaque, { raw: { width, height, channels: 3 } });
}

function largest(counts: Map<number, number>): number {
  let most = 0;
  for (const count of counts.values()) most = Math.max(most, count);
  return most;
}
