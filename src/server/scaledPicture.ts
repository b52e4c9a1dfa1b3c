import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import sharp, { type Sharp } from 'sharp';
import { Gate } from '../jobs/database/gate.js';

/** Widths in which pictures can be had, in pixels; few, so that few have to be made and kept. */
export const PICTURE_WIDTHS = ['120', '240', '480', '1280'] as const;

/** Bytes of pictures that are kept to be sent again. */
const KEPT_BYTES = 24 * 2 ** 20;
/** Share of the cut-away pixels that may be of one colour before they count as an empty background. */
const EMPTY_SHARE = 0.5;
/** Pixels that are looked at for that, spread over the picture: enough for a share, however large the picture. */
const LOOKED_AT = 1 << 16;
/** Pictures that are made at the same time: each is held in memory unpacked. */
const AT_ONCE = 2;

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
  private readonly making = new Map<string, Promise<Buffer>>();
  private readonly gate = new Gate(AT_ONCE);
  private bytes = 0;

  /**
   * Those who ask at the same moment share the work.
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
    const others = this.making.get(name);
    if (others) return await others;
    const work = this.gate.through(async () => await scalePicture(await buffer(await read()), form));
    this.making.set(name, work);
    try {
      const made = await work;
      this.keep(name, made);
      return made;
    } finally {
      this.making.delete(name);
    }
  }

  private keep(name: string, made: Buffer): void {
    this.kept.set(name, made);
    this.bytes += made.length;
    for (const [oldest, { length }] of this.kept) {
      if (this.bytes <= KEPT_BYTES) break;
      this.kept.delete(oldest);
      this.bytes -= length;
    }
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
  const pixels = width * height;
  const seen = new Map<number, number>();
  let hidden = 0;
  for (let i = 0; i < Math.min(pixels, LOOKED_AT); i++) {
    // Multiples of the golden ratio lie evenly, and in no column of any width.
    const at = pixels <= LOOKED_AT ? i : Math.floor(((i * GOLDEN) % 1) * pixels);
    if (data[at * 4 + 3] !== 0) continue;
    hidden++;
    const colour = data.readUIntBE(at * 4, 3);
    seen.set(colour, (seen.get(colour) ?? 0) + 1);
  }
  if (hidden === 0 || largest(seen) >= EMPTY_SHARE * hidden) return undefined;
  const opaque = await sharp(data, { raw: { width, height, channels } }).removeAlpha().raw().toBuffer();
  return sharp(opaque, { raw: { width, height, channels: 3 } });
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

function largest(counts: Map<number, number>): number {
  let most = 0;
  for (const count of counts.values()) most = Math.max(most, count);
  return most;
}
