import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';

/** One address behind a name. */
export interface Address {
  address: string;
  family: 4 | 6;
}

export interface ResolveOptions {
  /** Name servers to ask, such as `10.0.0.53` or `127.0.0.1:5353`. Default: the system's. */
  servers?: string[];
  /** Milliseconds in which an answer must be there. */
  timeoutMs: number;
}

/** Nobody answered in time: the name may well be known. */
export class ResolveTimeout extends Error {}

/**
 * Every address behind a host name: from the system's hosts file, else from the name servers. Not by the system's own
 * look-up, which takes one of the few threads that all files are read with, for as long as a name server is silent.
 * @throws `ResolveTimeout`, or the resolver's error where the name is not known
 */
export async function resolveHost(host: string, options: ResolveOptions): Promise<Address[]> {
  // RFC 6761: this machine, whatever name servers say.
  if (/(^|\.)localhost\.?$/i.test(host)) return [{ address: '127.0.0.1', family: 4 }];
  const known = await fromHosts(host);
  if (known.length > 0) return known;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ResolveTimeout(`No name server answered for ${host}`)), options.timeoutMs);
  });
  const resolver = new Resolver({ timeout: Math.ceil(options.timeoutMs / 2), tries: 2 });
  if (options.servers?.length) resolver.setServers(options.servers);
  try {
    return await Promise.race([ask(resolver, await names(host)), late]);
  } catch (error) {
    if (['ETIMEOUT', 'ECONNREFUSED', 'ESERVFAIL', 'ECANCELLED'].includes((error as { code?: string }).code ?? ''))
      throw new ResolveTimeout(`No name server answered for ${host}`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    resolver.cancel();
  }
}

async function ask(resolver: Resolver, candidates: string[]): Promise<Address[]> {
  let failure: unknown;
  for (const name of candidates) {
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found: Address[] = [];
    if (four.status === 'fulfilled') found.push(...four.value.map((address) => ({ address, family: 4 }) as const));
    if (six.status === 'fulfilled') found.push(...six.value.map((address) => ({ address, family: 6 }) as const));
    if (found.length > 0) return found;
    if (four.status === 'rejected') failure = four.reason;
  }
  throw failure;
}

async function fromHosts(host: string): Promise<Address[]> {
  const text = await readFile('/etc/hosts', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [address, ...hosts] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!hosts.some((h) => h.toLowerCase() === host.toLowerCase())) return [];
    return [{ address, family: address.includes(':') ? 6 : 4 } as const];
  });
}

/**
 * The name, and with the system's search domains, in the order that its number of dots asks for: names within a cluster
 * are short.
 */
async function names(host: string): Promise<string[]> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const search = /^search\s+(.+)$/m.exec(text)?.[1].trim().split(/\s+/) ?? [];
  const ndots = Number(/\bndots:(\d+)/.exec(text)?.[1] ?? 1);
  const longer = search.map((domain) => `${host}.${domain}`);
  return host.split('.').length - 1 >= ndots ? [host, ...longer] : [...longer, host];
}
