import { PlinthError } from '../core/errors.js';
import { nameOf } from './folder.js';
import type { PlacedFile } from './manifest.js';

/** What a server states about a file before it is fetched. */
export interface FileFacts {
  /** Bytes; absent where it does not say. */
  size?: number;
  /** 64 hexadecimal digits; absent where it does not say, as for small files. */
  sha256?: string;
  /** The commit that the revision means, else the revision. */
  revision: string;
}

/** Redirects that are followed at most. */
const MOST_REDIRECTS = 5;
/** How long a server may be silent before it answers, and between two pieces. */
const PATIENCE_SECONDS = 60;

/**
 * Hugging Face, or a mirror that answers as it does: `<endpoint>/<owner>/<name>/resolve/<revision>/<path>`. The token
 * goes to the endpoint itself and to nothing that it redirects to, and neither token nor signed addresses are ever in
 * messages.
 */
export class Hub {
  private readonly endpoint: URL;
  private readonly token?: string;
  private readonly patienceSeconds: number;

  /**
   * @param options.endpoint as in HF_ENDPOINT; default https://huggingface.co
   * @param options.token as in HF_TOKEN; default none
   * @param options.patienceSeconds how long a silent server is waited for; default 60
   * @throws `SETTINGS_INVALID`
   */
  constructor(options: { endpoint?: string; token?: string; patienceSeconds?: number } = {}) {
    this.endpoint = checkedEndpoint(options.endpoint?.trim() || 'https://huggingface.co');
    this.token = checkedToken(options.token);
    this.patienceSeconds = options.patienceSeconds ?? PATIENCE_SECONDS;
  }

  /** What the server states about a file. @throws `WEIGHTS_DOWNLOAD_FAILED` */
  async facts(placed: PlacedFile, signal?: AbortSignal): Promise<FileFacts> {
    const { responses, quiet } = await this.ask('HEAD', placed, placed.repository.revision, {}, signal);
    quiet.stop();
    const header = (name: string): string | undefined =>
      responses.map((response) => response.headers.get(name)).find((value) => value !== null) ?? undefined;
    const last = responses[responses.length - 1];
    const size = wholeNumber(header('x-linked-size') ?? ((last.ok && last.headers.get('content-length')) || undefined));
    const sha256 = /^(?:W\/)?"?([\da-f]{64})"?$/i.exec(header('x-linked-etag') ?? '')?.[1].toLowerCase();
    const commit = header('x-repo-commit');
    const revision = commit && /^[\da-f]{40}$/i.test(commit) ? commit : placed.repository.revision;
    return { size, sha256, revision };
  }

  /**
   * The bytes of a file from `offset` on, or from the start where the server gives no parts.
   * @returns where they begin, and the pieces
   * @throws `WEIGHTS_DOWNLOAD_FAILED`, also while pieces are read
   */
  async read(
    placed: PlacedFile,
    revision: string,
    offset: number,
    signal?: AbortSignal,
  ): Promise<{ offset: number; pieces: AsyncGenerator<Uint8Array> }> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const { responses, quiet, stopped } = await this.ask('GET', placed, revision, headers, signal);
    const response = responses[responses.length - 1];
    const begin = offset === 0 || response.status === 200 ? 0 : contentBegin(response);
    if (begin !== 0 && begin !== offset) {
      // Another part than was asked for, or none at all: the whole file instead.
      quiet.stop();
      await response.body?.cancel();
      return await this.read(placed, revision, 0, signal);
    }
    return { offset: begin, pieces: this.pieces(placed, response, quiet, stopped, signal) };
  }

  private async *pieces(
    placed: PlacedFile,
    response: Response,
    quiet: Patience,
    stopped: AbortSignal,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of response.body ?? []) {
        // What takes the piece may take its time.
        quiet.stop();
        yield piece;
        quiet.begin();
      }
    } catch (error) {
      signal?.throwIfAborted();
      const why = stopped.aborted ? `sent nothing for ${this.patienceSeconds} s` : `broke off (${reason(error)})`;
      throw failed(placed, `The server ${why} while it sent ${nameOf(placed)}`, GOES_ON);
    } finally {
      quiet.stop();
    }
  }

  private async ask(
    method: 'GET' | 'HEAD',
    placed: PlacedFile,
    revision: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<{ responses: Response[]; quiet: Patience; stopped: AbortSignal }> {
    const { repository, file } = placed;
    const path = `${repository.name}/resolve/${encodeURIComponent(revision)}/${file.path}`;
    let url = new URL(`${this.endpoint.href.replace(/\/$/, '')}/${path}`);
    const responses: Response[] = [];
    const controller = new AbortController();
    const quiet = new Patience(this.patienceSeconds, controller);
    const both = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
    for (;;) {
      quiet.begin();
      const sent = new Headers({ 'accept-encoding': 'identity', ...headers });
      if (this.token && url.origin === this.endpoint.origin) sent.set('authorization', `Bearer ${this.token}`);
      let response: Response;
      try {
        response = await fetch(url, { method, headers: sent, redirect: 'manual', signal: both });
      } catch (error) {
        quiet.stop();
        signal?.throwIfAborted();
        const why = controller.signal.aborted
          ? `does not answer within ${this.patienceSeconds} s`
          : `cannot be reached (${reason(error)})`;
        throw failed(
          placed,
          `${url.host} ${why}`,
          'Look at the network or set HF_ENDPOINT to a mirror, then try again',
        );
      }
      responses.push(response);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) {
        const noSuchPart = response.status === 416 && headers.range !== undefined;
        if (response.ok || noSuchPart) return { responses, quiet, stopped: controller.signal };
        quiet.stop();
        await response.body?.cancel();
        throw refused(placed, url.host, response.status, this.token !== undefined);
      }
      await response.body?.cancel();
      // What a redirect to another place leads to is signed for reading alone; the endpoint has told what it knows.
      if (method === 'HEAD' && URL.parse(location, url.href)?.origin !== this.endpoint.origin) {
        return { responses, quiet, stopped: controller.signal };
      }
      const next = URL.parse(location, url.href);
      const safe = next && /^https?:$/.test(next.protocol) && !(url.protocol === 'https:' && next.protocol === 'http:');
      if (!safe || responses.length > MOST_REDIRECTS) {
        quiet.stop();
        const why = safe ? `${responses.length} times` : 'to an address that is not followed';
        throw failed(placed, `${url.host} redirects ${why} for ${nameOf(placed)}`);
      }
      url = next;
    }
  }
}

/** Aborts what is silent for too long. */
class Patience {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly seconds: number,
    private readonly controller: AbortController,
  ) {}

  begin(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(), this.seconds * 1000).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** What to do after an interruption. */
export const GOES_ON = 'Run `plinth weights download` again; it goes on where it stopped';

/** A download that failed. @param remedy what to do; by default to run the command again */
export const failed = ({ repository, file }: PlacedFile, found: string, remedy = GOES_ON): PlinthError =>
  new PlinthError('WEIGHTS_DOWNLOAD_FAILED', { found, remedy, subject: `${repository.name}/${file.path}` });

function refused(placed: PlacedFile, host: string, status: number, hasToken: boolean): PlinthError {
  const { repository } = placed;
  const found = `${host} answers ${status} for ${nameOf(placed)} at revision ${repository.revision}`;
  if (status === 401 || status === 403) {
    const token = hasToken ? 'let HF_TOKEN be a token that may read it' : 'set HF_TOKEN to a token that may read it';
    return failed(placed, found, `Accept the terms at ${repository.licence.url} and ${token}, then run it again`);
  }
  if (status === 404) {
    return failed(placed, found, `Look at ${repository.licence.url}, whether the file was moved, and at HF_ENDPOINT`);
  }
  return failed(placed, found);
}

function checkedEndpoint(text: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) return url;
  throw new PlinthError('SETTINGS_INVALID', {
    // Not the value: it may hold a password.
    found: 'HF_ENDPOINT is no address that weights can be fetched from',
    expected: 'http:// or https:// with a host, without user, password or question mark',
    subject: 'HF_ENDPOINT',
  });
}

function checkedToken(text: string | undefined): string | undefined {
  const token = text?.trim();
  if (!token) return undefined;
  // What cannot stand in a header would be quoted by the error of whoever tries to send it.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new PlinthError('SETTINGS_INVALID', {
    found: 'HF_TOKEN holds characters that no token has',
    expected: 'a token of Hugging Face, in one word',
    subject: 'HF_TOKEN',
  });
}

const contentBegin = (response: Response): number | undefined =>
  wholeNumber(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]);

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** The innermost code or words of a network fault. */
function reason(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return (at as { code?: string }).code ?? (at instanceof Error ? at.message : String(at));
}
