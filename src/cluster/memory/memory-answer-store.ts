import { ANSWER_LIFE_MS, type AnswerStore, type Claim } from '../ports/answer-store.js';
import { ExpiringMap } from '../ports/expiring-map.js';

/** Beyond this number, the oldest answers are forgotten early. */
const MAX_ANSWERS = 100_000;

/** Stored replies of a single node. */
export class MemoryAnswerStore implements AnswerStore {
  private readonly claims = new ExpiringMap<Claim>(ANSWER_LIFE_MS, MAX_ANSWERS);

  async claim(key: string, fingerprint: string): Promise<Claim> {
    const known = this.claims.get(key);
    if (known !== undefined && known.state !== 'claimed') return known;
    this.claims.set(key, { state: 'pending', fingerprint });
    return { state: 'claimed' };
  }

  async keep(key: string, fingerprint: string, answer: unknown): Promise<void> {
    this.claims.set(key, { state: 'answered', fingerprint, answer });
  }

  async release(key: string): Promise<void> {
    this.claims.set(key, { state: 'claimed' });
  }
}
