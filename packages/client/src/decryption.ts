import { isObject, type Incoming } from './incoming.js';

/** What opens the tokens of one scheme. */
export interface Opener {
  readonly enc: string;
  open(token: string): Promise<unknown>;
}

/** The message with its data decrypted, and that of every publication in it. */
export async function openAll(message: Incoming, opener: Opener): Promise<Incoming> {
  const data = await opened(message, opener);
  if (!isObject(data) || !Array.isArray(data.publications)) return { ...message, data };
  const publications = data.publications.map(async (publication: unknown) =>
    isObject(publication) ? { ...publication, data: await opened(publication, opener) } : publication,
  );
  return { ...message, data: { ...data, publications: await Promise.all(publications) } };
}

async function opened(
  { enc, data }: { readonly enc?: unknown; readonly data?: unknown },
  opener: Opener,
): Promise<unknown> {
  return enc === opener.enc && typeof data === 'string' ? opener.open(data) : data;
}
