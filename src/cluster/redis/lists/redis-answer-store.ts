import { ANSWER_LIFE_MS, type AnswerStore, type Claim } from '../../ports/answer-store.js';
import { recordOf } from './json-record.js';
import type { RedisLink } from '../connection/redis-link.js';
import { RedisScript } from '../connection/redis-script.js';

interface Kept {
  readonly fingerprint: string;
  /** Absent while the answer is not known. */
  readonly answer?: { readonly value: unknown };
}

interface AnswerKeys {
  /** The suffix of its keys. */
  readonly part?: string;
  readonly lifeMs?: number;
}

const DROP = RedisScript.load('answer-drop');

/** Answers of the whole cluster. Each is a key of Redis, which expires. */
export class RedisAnswerStore implements AnswerStore {
  private readonly part: string;
  private readonly lifeMs: number;

  constructor(
    private readonly link: RedisLink,
    { part = 'answer', lifeMs = ANSWER_LIFE_MS }: AnswerKeys = {},
  ) {
    this.part = part;
    this.lifeMs = lifeMs;
  }

  async claim(key: string, fingerprint: string): Promise<Claim> {
    const text = JSON.stringify({ fingerprint } satisfies Kept);
    const { client } = this.link;
    // Since Redis 7, one command both claims the key and returns the earlier value.
    const former = await this.link.attempt(() => client.set(this.keyOf(key), text, 'PX', this.lifeMs, 'NX', 'GET'));
    if (former === null) return { state: 'claimed' };
    const claim = claimOf(former);
    if (claim !== undefined) return claim;
    this.link.emit('failed', 'Malformed stored reply');
    await this.link.run(DROP, [this.keyOf(key)], [former]);
    return this.claim(key, fingerprint);
  }

  async keep(key: string, fingerprint: string, answer: unknown): Promise<void> {
    const text = JSON.stringify({ fingerprint, answer: { value: answer } } satisfies Kept);
    await this.link.attempt(() => this.link.client.set(this.keyOf(key), text, 'PX', this.lifeMs));
  }

  async release(key: string): Promise<void> {
    await this.link.attempt(() => this.link.client.del(this.keyOf(key)));
  }

  private keyOf(key: string): string {
    return this.link.key(key, this.part);
  }
}

/** Returns undefined if this store did not write it. */
function claimOf(text: string): Claim | undefined {
  const { fingerprint, answer } = recordOf(text) ?? {};
  if (typeof fingerprint !== 'string') return undefined;
  if (answer === undefined) return { state: 'pending', fingerprint };
  if (typeof answer !== 'object' || answer === null) return undefined;
  return { state: 'answered', fingerprint, answer: (answer as { value?: unknown }).value };
}
