import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Logger } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import { VERSION } from '../../core/version.js';
import type { Database } from '../database/database.js';
import { isPrivateAddress } from './privateAddress.js';
import { type Address, ResolveTimeout, resolveHost } from './resolveHost.js';
import { type Delivery, installationSecrets, settleDelivery, takeDelivery } from './webhookStore.js';

/**
 * Pauses before the second, third … attempt, in seconds, as Standard Webhooks recommends. After the last the message is
 * given up.
 */
const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000];
/** From the look-up of the name to the status of the answer. */
const TIMEOUT_MS = 15_000;
const CONNECT_MS = 5_000;
const RESOLVE_MS = 3_000;
/** A message that is being sent is not taken by another process for this long. */
const HOLD_SECONDS = 60;
const POLL_MS = 1_000;
/** Messages that are sent at the same time, to all receivers and to one. */
const PARALLEL = 16;
const PARALLEL_PER_RECEIVER = 2;

export interface WebhookOptions {
  /** Allow addresses of private networks and of this machine. */
  allowPrivate: boolean;
  /** Signs messages of jobs without a secret of their own, until secrets are rotated. */
  secret?: string;
  /** Name servers that are asked for receivers. Default: the system's. */
  dnsServers?: string[];
  /** Overrides the pauses; for tests. */
  retrySeconds?: number[];
}

interface Target extends Address {
  url: URL;
}

const refuse = (found: string): PlinthError =>
  new PlinthError('WEBHOOK_URL_REFUSED', {
    found,
    expected: 'an http or https address on the public internet, without user name or password',
    remedy: 'To allow private addresses, set webhooks.allowPrivate',
    subject: 'webhook.url',
  });

/**
 * Resolves a webhook address and checks every address behind its name.
 * @throws `WEBHOOK_URL_REFUSED`; `ResolveTimeout` where no name server answers
 */
export async function resolveWebhook(
  text: string,
  { allowPrivate, dnsServers }: Pick<WebhookOptions, 'allowPrivate' | 'dnsServers'>,
): Promise<Target> {
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse(`The webhook address begins with ${url.protocol}`);
  if (url.username || url.password) throw refuse('The webhook address holds a user name or password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const found =
    family !== 0
      ? [{ address: host, family: family as 4 | 6 }]
      : await resolveHost(host, { servers: dnsServers, timeoutMs: RESOLVE_MS }).catch((error) => {
          if (error instanceof ResolveTimeout) throw error;
          throw refuse(`The host ${host} of the webhook address is not known`);
        });
  const bad = found.find((f) => isPrivateAddress(f.address));
  if (bad && !allowPrivate) throw refuse(`The webhook address leads to ${bad.address}, a private address`);
  return { url, ...found[0] };
}

/**
 * Checks the address of a new job. A name that no server answers for within its time passes: it is checked again before
 * every message.
 * @throws `WEBHOOK_URL_REFUSED`
 */
export async function checkWebhook(text: string, options: WebhookOptions): Promise<void> {
  await resolveWebhook(text, options).catch((error) => {
    if (!(error instanceof ResolveTimeout)) throw error;
  });
}

/**
 * Sends the messages that wait in the database, each signed, until they are taken or given up: several at once, few to
 * one receiver.
 */
export class WebhookSender {
  private timer: NodeJS.Timeout | undefined;
  private readonly sending = new Map<string, { receiver: string; done: Promise<void> }>();
  private readonly closing = new AbortController();
  private looking: Promise<void> | undefined;

  constructor(
    private readonly db: Database,
    private readonly options: WebhookOptions,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), POLL_MS);
    this.timer.unref();
  }

  /** What is being sent breaks off and is sent again later. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    this.closing.abort(new Error('The service stops'));
    await this.looking;
    await Promise.all([...this.sending.values()].map((s) => s.done));
  }

  private look(): void {
    this.looking ??= this.takeDue()
      .catch((error) => this.log.warn({ err: error }, 'webhooks could not be looked up'))
      .finally(() => {
        this.looking = undefined;
      });
  }

  private async takeDue(): Promise<void> {
    while (this.timer && this.sending.size < PARALLEL) {
      const delivery = await takeDelivery(this.db, HOLD_SECONDS, this.busy());
      if (!delivery) return;
      const done = this.deliver(delivery)
        .catch((error) => this.log.warn({ err: error, job: delivery.job }, 'a webhook could not be recorded'))
        .finally(() => {
          this.sending.delete(delivery.id);
          // Its place is free now.
          if (this.timer) this.look();
        });
      this.sending.set(delivery.id, { receiver: delivery.receiver, done });
    }
  }

  /** Receivers to which as much is sent as may be. */
  private busy(): string[] {
    const counts = new Map<string, number>();
    for (const { receiver } of this.sending.values()) counts.set(receiver, (counts.get(receiver) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= PARALLEL_PER_RECEIVER).map(([receiver]) => receiver);
  }

  private async deliver(delivery: Delivery & { receiver: string }): Promise<void> {
    let status: number | undefined;
    let error: Error | undefined;
    try {
      status = await this.send(delivery);
      // Redirects are not followed: they could lead to an address that was never checked.
      if (status < 200 || status > 299) error = new Error(`the receiver answered ${status}`);
    } catch (e) {
      error = e as Error;
    }
    if (!error) return await settleDelivery(this.db, delivery.id, { status });
    const pauses = this.options.retrySeconds ?? RETRY_SECONDS;
    // Jitter spreads messages that failed together; it changes no result.
    const pause = pauses[delivery.attempts] as number | undefined;
    const nextSeconds = pause === undefined ? undefined : pause * (0.9 + 0.2 * ((Date.now() % 997) / 997));
    await settleDelivery(this.db, delivery.id, { status, error: error.message, nextSeconds });
    // Not the address: what follows the name of the receiver is often the secret that lets one write there.
    const { receiver } = delivery;
    this.log.warn({ job: delivery.job, receiver, err: error, nextSeconds }, 'a webhook was not taken');
  }

  private async send(delivery: Delivery): Promise<number> {
    const secrets = delivery.secret ? [delivery.secret] : await installationSecrets(this.db, this.options.secret);
    if (secrets.length === 0) throw new Error('there is no secret to sign with');
    const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.closing.signal]);
    const target = await resolveWebhook(delivery.url, this.options);
    const now = new Date();
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(delivery.body)),
      'user-agent': `plinth/${VERSION}`,
      'webhook-id': delivery.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      // Receivers take a message when one of the signatures fits.
      'webhook-signature': secrets.map((s) => new Webhook(s).sign(delivery.id, now, delivery.body)).join(' '),
    };
    return await post(target, headers, delivery.body, signal);
  }
}

/** Answers the status. The receiver's body is of no interest, and is not read. */
function post(
  { url, address, family }: Target,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(
      url,
      {
        method: 'POST',
        headers,
        signal,
        agent: false,
        maxHeaderSize: 16_384,
        // The address that was checked, not what the name leads to a moment later.
        lookup: (_host, options, callback) => {
          if (options.all)
            (callback as (e: null, a: { address: string; family: number }[]) => void)(null, [{ address, family }]);
          else callback(null, address, family);
        },
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.on('error', () => {});
        response.destroy();
      },
    );
    const connecting = setTimeout(
      () => request.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    const connected = url.protocol === 'https:' ? 'secureConnect' : 'connect';
    request.once('socket', (socket) => socket.once(connected, () => clearTimeout(connecting)));
    request.once('close', () => clearTimeout(connecting));
    request.on('error', (error) =>
      reject(
        signal.aborted && !error.message.startsWith('no ')
          ? new Error(`no answer within ${TIMEOUT_MS / 1000} s`)
          : error,
      ),
    );
    request.end(body);
  });
}
