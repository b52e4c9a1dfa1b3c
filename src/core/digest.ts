/** SHA-256 of bytes or of a text in UTF-8, as 64 hexadecimal digits. */
export async function sha256(data: string | ArrayBuffer | Uint8Array | Uint8ClampedArray): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
