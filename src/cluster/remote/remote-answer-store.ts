import type { AnswerStore, Claim } from '../ports/answer-store.js';
import type { RemoteLink } from './remote-link.js';

/** Answers of all workers, in the primary, as texts of JSON. */
export class RemoteAnswerStore implements AnswerStore {
  constructor(
    private readonly link: RemoteLink,
    private readonly name: 'answers' | 'replays',
  ) {}

  async claim(key: string, fingerprint: string, owner?: string): Promise<Claim> {
    const claim = (await this.link.call(`${this.name}.claim`, key, fingerprint, owner)) as Claim;
    if (claim.state !== 'answered') return claim;
    const { value } = JSON.parse(claim.answer as string) as { readonly value?: unknown };
    return { ...claim, answer: value };
  }

  async keep(key: string, fingerprint: string, answer: unknown): Promise<void> {
    await this.link.call(`${this.name}.keep`, key, fingerprint, JSON.stringify({ value: answer }));
  }

  async release(key: string): Promise<void> {
    await this.link.call(`${this.name}.release`, key);
  }
}
