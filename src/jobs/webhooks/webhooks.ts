import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Logger } from '../../core/context.js';
import { PlinthError } from '../../core/errors.js';
import { VERSION } from '../../core/version.js';
import type { Database } from '../database/database.js';
import { isPrivateAddress } from './privateAddress.js';
import { type Delivery, settleDelivery, takeDelivery } from './webhookStore.js';

/** Pauses before the second, third … attempt, in seconds, as Standard Webhooks recommends. After the last the message is given up. */
const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000];
const TIMEOUT_MS = 15_000;
/** A message that is being sent is not taken by another process for this long. */
const HOLD_SECONDS = 60;
const POLL_MS = 1_000;

export interface WebhookOptions {
  /** Allow addresses of private networks and of this machine. */
  allowPrivate: boolean;
  /** Overrides the pauses; for tests. */
  retrySeconds?: number[];
}

interface Target {
  url: URL;
  address: string;
  family: 4 | 6;
}

/**
 * Resolves a webhook address and checks every address behind its name.
 * @throws `WEBHOOK_URL_REFUSED`
 */
export async function resolveWebhook(text: string, allowPrivate: boolean): Promise<Target> {
  const url = new URL(text);
  const refuse = (found: string): PlinthError =>
    new PlinthError('WEBHOOK_URL_REFUSED', {
      found,
      expected: 'an http or https address on the public internet, without user name or password',
      remedy: 'To allow private addresses, set webhooks.allowPrivate',
      subject: 'webhook.url',
    });
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse(`The webhook address begins with ${url.protocol}`);
  if (url.username || url.password) throw refuse('The webhook address holds a user name or password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await lookup(host, { all: true }).catch(() => {
        throw refuse(`The host ${host} of the webhook address is not known`);
      });
  const bad = found.find((f) => isPrivateAddress(f.address));
  if (bad && !allowPrivate) throw refuse(`The webhook address leads to ${bad.address}, a private address`);
  return { url, address: found[0].address, family: found[0].family as 4 | 6 };
}

/** Sends the messages that wait in the database, each signed, until they are taken or given up. */
export class WebhookSender {
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly options: WebhookOptions,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.tick(), POLL_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.sending;
  }

  private busy = false;

  private tick(): void {
    if (this.busy) return;
    this.busy = true;
    this.sending = this.sendDue()
      .catch((error) => this.log.warn({ err: error }, 'webhooks could not be looked up'))
      .finally(() => {
        this.busy = false;
      });
  }

  private async sendDue(): Promise<void> {
    while (this.timer) {
      const delivery = await takeDelivery(this.db, HOLD_SECONDS);
      if (!delivery) return;
      const error = await this.send(delivery).then(
        () => undefined,
        (e: Error) => e,
      );
      if (!error) {
        await settleDelivery(this.db, delivery.id, {});
        continue;
      }
      const pauses = this.options.retrySeconds ?? RETRY_SECONDS;
      // Jitter spreads messages that failed together; it changes no result.
      const pause = pauses[delivery.attempts] as number | undefined;
      const nextSeconds = pause === undefined ? undefined : pause * (0.9 + 0.2 * ((Date.now() % 997) / 997));
      await settleDelivery(this.db, delivery.id, { error: error.message, nextSeconds });
      this.log.warn({ job: delivery.job, url: delivery.url, err: error, nextSeconds }, 'a webhook was not taken');
    }
  }

  private async send(delivery: Delivery): Promise<void> {
    const target = await resolveWebhook(delivery.url, this.options.allowPrivate);
    const now = new Date();
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(delivery.body)),
      'user-agent': `plinth/${VERSION}`,
      'webhook-id': delivery.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(delivery.secret).sign(delivery.id, now, delivery.body),
    };
    const status = await post(target, headers, delivery.body);
    // Redirects are not followed: they could lead to an address that was never checked.
    if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
  }
}

function post({ url, address, family }: Target, headers: Record<string, string>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(
      url,
      {
        method: 'POST',
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        // The address that was checked, not what the name leads to a moment later.
        lookup: (_host, options, callback) => {
          if (options.all)
            (callback as (e: null, a: { address: string; family: number }[]) => void)(null, [{ address, family }]);
          else callback(null, address, family);
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.once('error', reject);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}
