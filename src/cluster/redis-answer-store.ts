import { ANSWER_LIFE_MS, type AnswerStore, type Claim } from './answer-store.js';
import type { RedisLink } from './redis-link.js';

interface Kept {
  readonly fingerprint: string;
  /** Absent while the answer is not known. */
  readonly answer?: { readonly value: unknown };
}

/** Answers of a whole cluster: a key of Redis each, which Redis forgets. */
export class RedisAnswerStore implements AnswerStore {
  constructor(private readonly link: RedisLink) {}

  async claim(key: string, fingerprint: string): Promise<Claim> {
    const text = JSON.stringify({ fingerprint } satisfies Kept);
    const { client } = this.link;
    // Since Redis 7 one command both claims and tells who was first.
    const former = await this.link.attempt(() => client.set(this.keyOf(key), text, 'PX', ANSWER_LIFE_MS, 'NX', 'GET'));
    return former === null ? { state: 'claimed' } : claimOf(former);
  }

  async keep(key: string, fingerprint: string, answer: unknown): Promise<void> {
    const text = JSON.stringify({ fingerprint, answer: { value: answer } } satisfies Kept);
    await this.link.attempt(() => this.link.client.set(this.keyOf(key), text, 'PX', ANSWER_LIFE_MS));
  }

  async release(key: string): Promise<void> {
    await this.link.attempt(() => this.link.client.del(this.keyOf(key)));
  }

  private keyOf(key: string): string {
    return this.link.key(key, 'answer');
  }
}

function claimOf(text: string): Claim {
  const { fingerprint, answer } = JSON.parse(text) as Kept;
  return answer === undefined
    ? { state: 'pending', fingerprint }
    : { state: 'answered', fingerprint, answer: answer.value };
}
