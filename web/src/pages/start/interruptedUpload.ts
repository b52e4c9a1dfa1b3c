import type { NamedFile } from '../../api.js';
import { remembered } from '../../store.js';

/** An upload that was begun, remembered so that choosing the same files again goes on where it stopped. */
export interface BegunUpload {
  id: string;
  name: string;
  /** Names and sizes, by which the same files are known again. */
  files: string;
}

const KEY = 'upload';

export const signature = (files: NamedFile[]): string => files.map((f) => `${f.name}:${f.data.size}`).join('|');

export function begunUpload(): BegunUpload | undefined {
  try {
    const text = remembered.get(KEY);
    return text ? (JSON.parse(text) as BegunUpload) : undefined;
  } catch {
    return undefined;
  }
}

export const rememberUpload = (upload: BegunUpload | undefined): void =>
  remembered.set(KEY, upload && JSON.stringify(upload));
