/** Reference tensors of test/goldens, and how results are held against them. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { bytesSource, Safetensors, type StoredTensor, toFloat32 } from '../src/weights/safetensors.js';

const FOLDER = new URL('./goldens/reconviagen/', import.meta.url);

/** A tensor of a golden file as numbers. */
export interface GoldenTensor {
  shape: readonly number[];
  data: Float32Array;
}

interface Index {
  files: Record<string, { tensors?: Record<string, [string, number[], number?]>; config?: unknown }>;
}

const index = JSON.parse(readFileSync(new URL('index.json', FOLDER), 'utf8')) as Index;

/** Names of all files of the index. */
export const GOLDEN_FILES = Object.keys(index.files);

/** The text of a file, such as a network's `.json`. */
export const goldenText = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');

/** The safetensors file of that path. */
export async function goldenWeights(file: string): Promise<Safetensors> {
  return Safetensors.open(bytesSource(file, new Uint8Array(readFileSync(new URL(file, FOLDER)))));
}

/** One golden file: its inputs, and the means to hold outputs against it. */
export class Golden {
  readonly file: string;
  private readonly stored: Map<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;

  private constructor(file: string, stored: Map<string, StoredTensor>, metadata: Readonly<Record<string, string>>) {
    this.file = file;
    this.stored = stored;
    this.metadata = metadata;
  }

  static async open(name: string): Promise<Golden> {
    const file = `${name}.safetensors`;
    const weights = await goldenWeights(file);
    const stored = new Map<string, StoredTensor>();
    for (const key of weights.tensors.keys()) stored.set(key, await weights.read(key));
    return new Golden(file, stored, weights.metadata);
  }

  get config(): Record<string, unknown> {
    return JSON.parse(this.metadata.config) as Record<string, unknown>;
  }

  get names(): string[] {
    return [...this.stored.keys()];
  }

  tensor(name: string): GoldenTensor {
    return { shape: this.raw(name).shape, data: toFloat32(this.raw(name)) };
  }

  data(name: string): Float32Array {
    return this.tensor(name).data;
  }

  ints(name: string): Int32Array {
    return Int32Array.from(this.data(name));
  }

  raw(name: string): StoredTensor {
    const tensor = this.stored.get(name);
    if (!tensor) throw new Error(`${this.file} has no tensor ${name}`);
    return tensor;
  }

  /** Greatest difference, as a multiple of the reference's standard deviation. */
  deviation(name: string, actual: ArrayLike<number>): number {
    const wanted = this.data(name);
    if (actual.length !== wanted.length) return Number.POSITIVE_INFINITY;
    let mean = 0;
    for (const x of wanted) mean += x / wanted.length;
    let variance = 0;
    for (const x of wanted) variance += (x - mean) ** 2 / wanted.length;
    let worst = 0;
    for (let i = 0; i < wanted.length; i++) {
      const difference = Math.abs(actual[i] - wanted[i]);
      if (!(difference <= worst)) worst = difference; // also where it is not a number
    }
    return worst / (Math.sqrt(variance) || 1);
  }

  /** What the index allows. */
  tolerance(name: string): number {
    const tolerance = index.files[this.file]?.tensors?.[name]?.[2];
    if (tolerance === undefined) throw new Error(`${this.file}: the index gives no tolerance for ${name}`);
    return tolerance;
  }

  /** Fails where a result is farther from the reference than the index allows. */
  check(name: string, actual: ArrayLike<number>): void {
    expect(actual.length, `${this.file} ${name}: numbers`).toBe(this.data(name).length);
    const deviation = this.deviation(name, actual);
    expect(deviation, `${this.file} ${name}: deviation`).toBeLessThanOrEqual(this.tolerance(name));
  }

  /** Fails unless every number is the reference's. */
  checkExact(name: string, actual: ArrayLike<number>): void {
    const wanted = this.data(name);
    const wrong = [...wanted.keys()].filter((i) => actual[i] !== wanted[i]);
    const seen = wrong.slice(0, 3).map((i) => `${i}: ${actual[i]} for ${wanted[i]}`);
    expect(actual.length, `${this.file} ${name}: numbers`).toBe(wanted.length);
    expect({ wrong: wrong.length, seen }, `${this.file} ${name}`).toEqual({ wrong: 0, seen: [] });
  }
}
