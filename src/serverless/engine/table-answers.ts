import { createHash, randomUUID } from 'node:crypto';
import { AnswerStore, type Claim } from '../../cluster/ports/answer-store.js';
import type { Database } from '../aws/database.js';

export interface AnswerLife {
  /** How long a claim without an answer is kept. */
  readonly pendingMs: number;
  readonly answeredMs: number;
}

/** Claims and answers, beside the positions of channels: the names of their keys are no channel names. */
export class TableAnswers extends AnswerStore {
  constructor(
    private readonly database: Database,
    private readonly table: string,
    private readonly life: AnswerLife,
  ) {
    super();
  }

  async claim(key: string, fingerprint: string): Promise<Claim> {
    const now = Date.now();
    // The SDK sends a request again if its answer is lost. The second one then meets the claim of the first.
    const claimant = randomUUID();
    const claimed = await this.database.update({
      TableName: this.table,
      Key: keyOf(key),
      UpdateExpression: 'SET fingerprint = :fingerprint, claimant = :claimant, expiresAt = :end REMOVE answer',
      // Items are deleted some time after they have expired.
      ConditionExpression: 'attribute_not_exists(channel) OR expiresAt <= :now',
      ExpressionAttributeValues: {
        ':fingerprint': fingerprint,
        ':claimant': claimant,
        ':end': seconds(now + this.life.pendingMs),
        ':now': seconds(now),
      },
    });
    if (claimed !== undefined) return { state: 'claimed' };
    const found = await this.database.get(this.table, keyOf(key));
    const { fingerprint: first = fingerprint, answer } = (found ?? {}) as { fingerprint?: string; answer?: string };
    if (found?.claimant === claimant) return { state: 'claimed' };
    if (answer === undefined) return { state: 'pending', fingerprint: first };
    return { state: 'answered', fingerprint: first, answer: JSON.parse(answer) as unknown };
  }

  keep(key: string, fingerprint: string, answer: unknown): Promise<void> {
    return this.database.put(this.table, {
      ...keyOf(key),
      fingerprint,
      answer: JSON.stringify(answer ?? null),
      expiresAt: seconds(Date.now() + this.life.answeredMs),
    });
  }

  async release(key: string): Promise<void> {
    await this.database.delete(this.table, keyOf(key));
  }
}

/** A hash, because clients choose keys, and a key of DynamoDB has a limit. */
export function keyOf(key: string): { readonly channel: string; readonly seq: number } {
  return { channel: `@answer:${createHash('sha256').update(key).digest('base64url')}`, seq: 0 };
}

export function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}
