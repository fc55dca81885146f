import type { Cipher } from './codec.js';
import { isObject, type Incoming } from './incoming.js';

/** The message with its data decrypted, and that of every publication in it. */
export async function openAll(message: Incoming, cipher: Cipher): Promise<Incoming> {
  const data = await opened(message, cipher);
  if (!isObject(data) || !Array.isArray(data.publications)) return { ...message, data };
  const publications = data.publications.map(async (publication: unknown) =>
    isObject(publication) ? { ...publication, data: await opened(publication, cipher) } : publication,
  );
  return { ...message, data: { ...data, publications: await Promise.all(publications) } };
}

async function opened(
  { enc, data }: { readonly enc?: unknown; readonly data?: unknown },
  cipher: Cipher,
): Promise<unknown> {
  return enc === cipher.enc && typeof data === 'string' ? cipher.open(data) : data;
}
