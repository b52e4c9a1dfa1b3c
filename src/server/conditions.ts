import type { IncomingHttpHeaders } from 'node:http';

/** What a client's conditions are held against. */
export interface Validators {
  /** Strong entity tag, with its quotes. */
  etag: string;
  modified: Date;
}

/**
 * What the conditions of a GET or HEAD ask for, in the order of RFC 9110, 13.2.2: `go` on, 304 since what the client
 * has is still right, or 412 since what it wants to go on with has changed.
 */
export function judgeConditions(headers: IncomingHttpHeaders, { etag, modified }: Validators): 'go' | 304 | 412 {
  const seconds = toSeconds(modified);
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined) {
    // Compared strongly: a weak tag is that of no bytes.
    if (!tagsOf(match).some((tag) => tag === '*' || tag === etag)) return 412;
  } else {
    const unmodified = dateOf(headers['if-unmodified-since']);
    if (unmodified !== undefined && seconds > unmodified) return 412;
  }
  if (noneMatch !== undefined) {
    return tagsOf(noneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag) ? 304 : 'go';
  }
  const since = dateOf(headers['if-modified-since']);
  return since !== undefined && seconds <= since ? 304 : 'go';
}

/** Whether a range may be answered as such: what the client has the other part of is still there. */
export function mayAnswerRange(headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const given = headers['if-range'];
  if (given === undefined || Array.isArray(given)) return given === undefined;
  return given.startsWith('"') ? given === etag : dateOf(given) === toSeconds(modified);
}

const tagsOf = (header: string): string[] => header.split(',').map((tag) => tag.trim());

const toSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** Seconds of a date in the form that RFC 9110 has senders write; others are as good as none. */
function dateOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(header))
    return undefined;
  const time = Date.parse(header);
  return Number.isNaN(time) ? undefined : time / 1000;
}
