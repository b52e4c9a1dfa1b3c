import { LENS_SIZE } from '../bundle/project.js';
import { longerSide, type PhotoLens, undistortPixels } from './lensModel.js';
import type { Pose } from './p3p.js';
import type { Tracks } from './tracks.js';
import { centreOf, type Sighting, sightingError, triangulate } from './triangulate.js';

/** What the mapper is given of a photo. */
export interface ScenePhoto {
  /** Index into the scene's lenses. */
  lens: number;
  /** x, y of every feature in pixels. */
  points: Float32Array;
}

/**
 * Largest distance in pixels of a sighting that fits, for a photo of 3,200 pixels; smaller photos in proportion, but
 * not below 1.5.
 */
const LIMIT = 4;
const LIMIT_SIDE = 3200;
/** Least angle between the rays of a point. */
export const LEAST_ANGLE = (1.5 * Math.PI) / 180;

/** Cameras and points as far as they are known. */
export class Scene {
  readonly poses: (Pose | undefined)[];
  /** Position of every track's point, x y z; meaningful where `has`. */
  readonly positions: Float64Array;
  readonly has: Uint8Array;
  /** 1 for every sighting that its point rests on. */
  readonly active: Uint8Array;
  /** Sightings of every photo: indices into `tracks.photos`. */
  readonly sightingsOf: Uint32Array[];
  readonly trackOf: Uint32Array;
  /** Factor of the largest distance that fits: above 1 while cameras are known roughly only. */
  slack = 1;
  private rays: (Float64Array | undefined)[];

  constructor(
    readonly photos: readonly ScenePhoto[],
    readonly lenses: PhotoLens[],
    readonly tracks: Tracks,
  ) {
    this.poses = photos.map(() => undefined);
    this.positions = new Float64Array(tracks.count * 3);
    this.has = new Uint8Array(tracks.count);
    this.active = new Uint8Array(tracks.photos.length);
    this.trackOf = new Uint32Array(tracks.photos.length);
    const lists: number[][] = photos.map(() => []);
    for (let t = 0; t < tracks.count; t++)
      for (let o = tracks.starts[t]; o < tracks.starts[t + 1]; o++) {
        this.trackOf[o] = t;
        lists[tracks.photos[o]].push(o);
      }
    this.sightingsOf = lists.map((list) => Uint32Array.from(list));
    this.rays = photos.map(() => undefined);
  }

  lensOf = (photo: number): PhotoLens => this.lenses[this.photos[photo].lens];

  /** Indices of the photos that have a pose. */
  registered = (): number[] => this.poses.flatMap((pose, i) => (pose ? [i] : []));

  /** Forgets undistorted directions after lenses changed. */
  lensesChanged(): void {
    this.rays.fill(undefined);
  }

  /** Directions at z = 1 of all features of a photo. */
  raysOf(photo: number): Float64Array {
    this.rays[photo] ??= undistortPixels(this.lensOf(photo), this.photos[photo].points);
    return this.rays[photo] as Float64Array;
  }

  /** Largest distance in pixels of a sighting that fits. */
  limitOf(photo: number): number {
    return this.slack * Math.max(1.5, (LIMIT * longerSide(this.lensOf(photo))) / LIMIT_SIDE);
  }

  /** The same at z = 1. */
  rayLimitOf = (photo: number): number => this.limitOf(photo) / this.lensOf(photo).f;

  /** The ray of a sighting whose photo has a pose. */
  sighting(o: number): Sighting {
    const photo = this.tracks.photos[o];
    const rays = this.raysOf(photo);
    const feature = this.tracks.features[o];
    return { pose: this.poses[photo] as Pose, x: rays[feature * 2], y: rays[feature * 2 + 1] };
  }

  position = (track: number): Float64Array => this.positions.subarray(track * 3, track * 3 + 3);

  /** Points that rest on a sighting of this photo. */
  pointCount(photo: number): number {
    let count = 0;
    for (const o of this.sightingsOf[photo]) count += this.active[o];
    return count;
  }

  /** Tracks with a point that a photo would see. */
  visible(photo: number): number[] {
    return Array.from(this.sightingsOf[photo]).filter((o) => this.has[this.trackOf[o]]);
  }

  /** Finds the point of a track anew from all photos with a pose. Returns whether there is one. */
  triangulateTrack(track: number): boolean {
    const { starts, photos } = this.tracks;
    const list: number[] = [];
    for (let o = starts[track]; o < starts[track + 1]; o++) {
      this.active[o] = 0;
      if (this.poses[photos[o]]) list.push(o);
    }
    this.has[track] = 0;
    if (list.length < 2) return false;
    const limits = list.map((o) => this.rayLimitOf(photos[o]));
    const found = triangulate(
      list.map((o) => this.sighting(o)),
      limits,
      LEAST_ANGLE,
    );
    if (!found) return false;
    this.positions.set(found.point, track * 3);
    this.has[track] = 1;
    list.forEach((o, i) => {
      this.active[o] = found.fits[i];
    });
    return true;
  }

  /** Adds what a newly posed photo sees: sightings of known points that fit, and new points. */
  extend(photo: number): void {
    const limit = this.rayLimitOf(photo) ** 2;
    for (const o of this.sightingsOf[photo]) {
      const track = this.trackOf[o];
      if (this.has[track]) {
        if (sightingError(this.sighting(o), this.position(track)) <= limit) this.active[o] = 1;
      } else this.triangulateTrack(track);
    }
  }

  /** Tries tracks that have no point, and adds sightings that fit by now. */
  retriangulate(): void {
    const { starts, photos } = this.tracks;
    for (let t = 0; t < this.tracks.count; t++) {
      if (!this.has[t]) {
        this.triangulateTrack(t);
        continue;
      }
      for (let o = starts[t]; o < starts[t + 1]; o++) {
        if (this.active[o] || !this.poses[photos[o]]) continue;
        if (sightingError(this.sighting(o), this.position(t)) <= this.rayLimitOf(photos[o]) ** 2) this.active[o] = 1;
      }
    }
  }

  /**
   * Drops sightings that are off by more than `share` of the limit and points that rest on too little. Returns how many
   * sightings went.
   */
  filter(share = 1): number {
    const { starts, photos } = this.tracks;
    let dropped = 0;
    for (let t = 0; t < this.tracks.count; t++) {
      if (!this.has[t]) continue;
      const kept: number[] = [];
      for (let o = starts[t]; o < starts[t + 1]; o++) {
        if (!this.active[o]) continue;
        const limit = share * this.rayLimitOf(photos[o]);
        if (sightingError(this.sighting(o), this.position(t)) <= limit * limit) kept.push(o);
        else {
          this.active[o] = 0;
          dropped++;
        }
      }
      if (kept.length >= 2 && this.widestAngle(kept) >= LEAST_ANGLE) continue;
      this.has[t] = 0;
      for (const o of kept) this.active[o] = 0;
      dropped += kept.length;
    }
    return dropped;
  }

  /** Largest angle in radians between the rays from the given sightings' cameras to their point. */
  private widestAngle(sightings: readonly number[]): number {
    const point = this.position(this.trackOf[sightings[0]]);
    const rays = sightings.map((o) => {
      const c = centreOf(this.poses[this.tracks.photos[o]] as Pose);
      const d = [point[0] - c[0], point[1] - c[1], point[2] - c[2]];
      const n = Math.hypot(d[0], d[1], d[2]);
      return d.map((v) => v / n);
    });
    let least = 1;
    for (let i = 0; i < rays.length; i++)
      for (let j = 0; j < i; j++)
        least = Math.min(least, rays[i][0] * rays[j][0] + rays[i][1] * rays[j][1] + rays[i][2] * rays[j][2]);
    return Math.acos(Math.max(-1, least));
  }

  /** Takes a photo out again, with the points that rest on too little without it. */
  remove(photo: number): void {
    this.poses[photo] = undefined;
    const { starts } = this.tracks;
    for (const o of this.sightingsOf[photo]) {
      if (!this.active[o]) continue;
      this.active[o] = 0;
      const t = this.trackOf[o];
      let left = 0;
      for (let k = starts[t]; k < starts[t + 1]; k++) left += this.active[k];
      if (left >= 2) continue;
      this.has[t] = 0;
      this.active.fill(0, starts[t], starts[t + 1]);
    }
  }

  /** Numbers of all lenses as bundle adjustment has them. */
  lensNumbers(): Float64Array {
    const out = new Float64Array(this.lenses.length * LENS_SIZE);
    this.lenses.forEach(({ f, cx, cy, k1, k2 }, i) => {
      out.set([f, cx, cy, k1, k2], i * LENS_SIZE);
    });
    return out;
  }

  /**
   * Root mean square of the distances in pixels of all sightings that count, and their number; of one photo where
   * given.
   */
  error(only?: number): { rms: number; sightings: number } {
    let [sum, count] = [0, 0];
    const { photos } = this.tracks;
    for (let o = 0; o < photos.length; o++) {
      if (!this.active[o] || (only !== undefined && photos[o] !== only)) continue;
      sum += sightingError(this.sighting(o), this.position(this.trackOf[o])) * this.lensOf(photos[o]).f ** 2;
      count++;
    }
    return { rms: count > 0 ? Math.sqrt(sum / count) : 0, sightings: count };
  }

  /** Distance in pixels of a sighting from its point. */
  distance = (o: number): number =>
    Math.sqrt(sightingError(this.sighting(o), this.position(this.trackOf[o]))) * this.lensOf(this.tracks.photos[o]).f;
}
