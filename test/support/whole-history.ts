import { api } from './api-client.js';

interface Page {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly { readonly seq: number; readonly data: unknown }[];
}

const PAGE = 1_000;

/** Everything that was ever published in a channel, if its namespace keeps that much. */
export async function wholeHistory(http: string, channel: string): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let since = '', seq = 0; ;) {
    const { body } = await api({ http }, `GET /api/channels/${channel}/history?limit=${PAGE}${since}`);
    const page = body as Page;
    all.push(...page.publications.map(({ data }) => data));
    seq = page.publications.at(-1)?.seq ?? page.seq;
    if (seq >= page.seq) return all;
    since = `&sinceEpoch=${page.epoch}&sinceSeq=${seq}`;
  }
}
