import type { SparseModel } from './sparseModel.js';

/** COLMAP's number of the lens model RADIAL. */
const RADIAL = 3;

/** Little-endian bytes one after the other. */
class Bytes {
  private buffer = Buffer.alloc(1 << 16);
  private used = 0;

  private room(size: number): number {
    if (this.used + size > this.buffer.length) {
      const grown = Buffer.alloc(2 * this.buffer.length + size);
      this.buffer.copy(grown);
      this.buffer = grown;
    }
    const at = this.used;
    this.used += size;
    return at;
  }

  u8(...values: number[]): this {
    for (const v of values) {
      const at = this.room(1);
      this.buffer.writeUInt8(v, at);
    }
    return this;
  }

  u32(...values: number[]): this {
    for (const v of values) {
      const at = this.room(4);
      this.buffer.writeUInt32LE(v, at);
    }
    return this;
  }

  u64(...values: number[]): this {
    for (const v of values) {
      const at = this.room(8);
      this.buffer.writeBigUInt64LE(BigInt(v), at);
    }
    return this;
  }

  f64(...values: number[]): this {
    for (const v of values) {
      const at = this.room(8);
      this.buffer.writeDoubleLE(v, at);
    }
    return this;
  }

  text(value: string): this {
    const bytes = Buffer.from(`${value}\0`);
    const at = this.room(bytes.length);
    bytes.copy(this.buffer, at);
    return this;
  }

  end = (): Buffer => this.buffer.subarray(0, this.used);
}

/**
 * The files of a COLMAP model in binary form (https://colmap.github.io/format.html), by name; the lens model is RADIAL.
 */
export function colmapBinary(model: SparseModel): Record<string, Buffer> {
  const cameras = new Bytes().u64(model.cameras.length);
  for (const c of model.cameras) cameras.u32(c.id, RADIAL).u64(c.width, c.height).f64(c.f, c.cx, c.cy, c.k1, c.k2);
  const images = new Bytes().u64(model.images.length);
  for (const i of model.images) {
    images
      .u32(i.id)
      .f64(...i.rotation, ...i.translation)
      .u32(i.camera)
      .text(i.name)
      .u64(i.features.length);
    for (const { x, y, point } of i.features) images.f64(x, y).u64(point);
  }
  const points = new Bytes().u64(model.points.length);
  for (const p of model.points) {
    points
      .u64(p.id)
      .f64(...p.position)
      .u8(...p.color)
      .f64(p.error)
      .u64(p.track.length);
    for (const { image, feature } of p.track) points.u32(image, feature);
  }
  return { 'cameras.bin': cameras.end(), 'images.bin': images.end(), 'points3D.bin': points.end() };
}
