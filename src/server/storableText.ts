import { Readable } from 'node:stream';
import { FieldError } from './problem.js';

/** Neither PostgreSQL's text nor its JSON holds NUL, and half a surrogate pair is no character at all. */
const isStorable = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

/** Nothing that is asked for nests deeper, and what writes and reads JSON recurses. */
const DEEPEST = 100;

/**
 * Looks through everything that a request says, names of fields too, for text that could not be stored, and for more
 * levels than could be written down.
 * @throws `REQUEST_INVALID` with the place
 */
export function requireStorable(value: unknown, where: string): void {
  // Without recursion: how deep a body nests is the client's choice.
  const open: [unknown, string, number][] = [[value, where, 0]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [at, path, depth] = next;
    if (depth > DEEPEST) {
      const field = path.split('.').slice(0, 3).join('.');
      throw new FieldError([{ field: withoutKind(field), message: `nests deeper than ${DEEPEST} levels` }]);
    }
    if (typeof at === 'string') {
      if (!isStorable(at)) throw unstorable(path);
    } else if (Array.isArray(at)) {
      for (const [i, item] of at.entries()) open.push([item, `${path}.${i}`, depth + 1]);
    } else if (at !== null && typeof at === 'object' && isPlain(at)) {
      for (const [name, item] of Object.entries(at)) {
        if (!isStorable(name)) throw unstorable(path);
        open.push([item, `${path}.${name}`, depth + 1]);
      }
    }
  }
}

/** Bodies that are streams pass. The query is an object of a class of its own. */
const isPlain = (value: object): boolean => !(value instanceof Readable);

const unstorable = (path: string): FieldError =>
  new FieldError([{ field: withoutKind(path), message: 'holds NUL or half a character' }]);

/** A place without the part of the request that it is in. */
const withoutKind = (path: string): string => path.replace(/^[a-z]+\./, '');
