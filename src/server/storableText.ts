import { Readable } from 'node:stream';
import { FieldError } from './problem.js';

/** Neither PostgreSQL's text nor its JSON holds NUL, and half a surrogate pair is no character at all. */
const isStorable = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

/**
 * Looks through everything that a request says, names of fields too, for text that could not be stored.
 * @throws `REQUEST_INVALID` with the place
 */
export function requireStorable(value: unknown, where: string): void {
  // Without recursion: how deep a body nests is the client's choice.
  const open: [unknown, string][] = [[value, where]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [at, path] = next;
    if (typeof at === 'string') {
      if (!isStorable(at)) throw unstorable(path);
    } else if (Array.isArray(at)) {
      for (const [i, item] of at.entries()) open.push([item, `${path}.${i}`]);
    } else if (at !== null && typeof at === 'object' && isPlain(at)) {
      for (const [name, item] of Object.entries(at)) {
        if (!isStorable(name)) throw unstorable(path);
        open.push([item, `${path}.${name}`]);
      }
    }
  }
}

/** Bodies that are streams pass. The query is an object of a class of its own. */
const isPlain = (value: object): boolean => !(value instanceof Readable);

const unstorable = (path: string): FieldError =>
  new FieldError([{ field: path.replace(/^[a-z]+\./, ''), message: 'holds NUL or half a character' }]);
