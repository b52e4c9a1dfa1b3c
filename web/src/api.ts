import { ApiError, PlinthClient, wordRemedy } from '../../src/api/client.js';
import { createStore, remembered } from './store.js';

export type * from '../../src/api/client.js';
export { ApiError, wordRemedy };

/** The API key, where the service asks for one. */
export const apiKey = createStore<string | undefined>(remembered.get('key'));
/** The service refused the key, or wants one. */
export const keyWanted = createStore<string | undefined>(undefined);
/** Whether the last request reached the service. */
export const connected = createStore(true);

const ask: typeof fetch = async (input, init) => {
  try {
    const response = await fetch(input, init);
    connected.set(true);
    if (response.status === 401) keyWanted.set(apiKey.get() ? 'The key was refused.' : 'This service asks for a key.');
    return response;
  } catch (error) {
    if (!init?.signal?.aborted) connected.set(false);
    throw error;
  }
};

/** Where the service is: beside the page, also when a proxy gives it a folder. */
export const serviceUrl = (): string => location.pathname.replace(/\/[^/]*$/, '');

const make = (): PlinthClient => new PlinthClient({ url: serviceUrl(), key: apiKey.get(), fetch: ask });
export let api: PlinthClient = make();

/** For what may be shown where the key allows it: a refusal asks nobody for a key. */
export const quietApi = (): PlinthClient => new PlinthClient({ url: serviceUrl(), key: apiKey.get() });

export function setKey(key: string | undefined): void {
  apiKey.set(key);
  remembered.set('key', key);
  api = make();
  keyWanted.set(undefined);
}

/** Fetches an address that the API named. */
export async function fetchPath(path: string, signal?: AbortSignal): Promise<Response> {
  const key = apiKey.get();
  const response = await ask(serviceUrl() + path, { signal, headers: key ? { authorization: `Bearer ${key}` } : {} });
  if (!response.ok) throw new ApiError(response.status, {}, `${path}: ${response.statusText}`);
  return response;
}

export const filePath = (job: string, name: string): string =>
  `/v1/jobs/${job}/files/${name.split('/').map(encodeURIComponent).join('/')}`;

/** A picture of a result, scaled by the service: `width` is one of those that it offers. */
export const picturePath = (job: string, name: string, width: number, whole = false): string =>
  `${filePath(job, name)}?width=${width}${whole ? '&cutOut=false' : ''}`;
