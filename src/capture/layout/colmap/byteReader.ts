import { invalidMetadata } from '../metadata.js';

/** Little-endian reader that turns the end of the file into a coded error. */
export class ByteReader {
  private offset = 0;
  private readonly view: DataView;

  constructor(
    private readonly data: Uint8Array,
    private readonly file: string,
  ) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  private take(bytes: number): number {
    const at = this.offset;
    if (at + bytes > this.data.length)
      throw invalidMetadata(
        this.file,
        `it ends after ${this.data.length} bytes, in the middle of an entry`,
        'a complete file',
      );
    this.offset += bytes;
    return at;
  }
  uint32 = (): number => this.view.getUint32(this.take(4), true);
  int32 = (): number => this.view.getInt32(this.take(4), true);
  double = (): number => this.view.getFloat64(this.take(8), true);
  doubles = (count: number): number[] => Array.from({ length: count }, this.double);
  skip = (bytes: number): void => void this.take(bytes);

  /** A count of things that take at least `size` bytes each: never more than the file can hold. */
  count(size: number): number {
    const count = Number(this.view.getBigUint64(this.take(8), true));
    if (count * size > this.data.length - this.offset) {
      throw invalidMetadata(
        this.file,
        `it announces ${count} entries but has only ${this.data.length} bytes`,
        'a complete file',
      );
    }
    return count;
  }

  /** A text that ends with a zero byte. */
  text(): string {
    const end = this.data.indexOf(0, this.offset);
    if (end < 0) throw invalidMetadata(this.file, 'a name does not end', 'a complete file');
    const text = new TextDecoder('utf-8').decode(this.data.subarray(this.offset, end));
    this.offset = end + 1;
    return text;
  }
}
