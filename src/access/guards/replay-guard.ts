import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { createHash } from 'node:crypto';
import { decodeDraft, encodeDraft } from '../../cluster/ports/draft-codec.js';
import { ReplayStore, MAX_AHEAD_MS } from '../../cluster/ports/replay-store.js';
import type { ErrorMessage } from '@gatehouse/protocol';
import type { InboundMessage } from '../../protocol/envelope.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { jsonText } from '../../protocol/codecs/json-codec.js';
import { sendable } from '../../protocol/codecs/sendable.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { AccessSettings } from '../access-settings.js';

/** Larger replies are not kept. A repetition is then refused instead of answered. */
const MAX_ANSWER_BYTES = 16_384;
const RETRY_AFTER_MS = 1_000;

/** The reply to a message. */
export type RememberedAnswer = { readonly data: unknown } | { readonly error: Omit<ErrorMessage, 'type' | 'id'> };

/** A message that has not been handled before. */
export interface FirstTime {
  /** Stores the reply to the message. */
  keep(answer: RememberedAnswer): Promise<void>;
  /** The message was not handled, and may be tried again. */
  release(): Promise<void>;
}

export type ReplayVerdict = { readonly first: FirstTime } | { readonly answered: RememberedAnswer };

/** The form of a reply in the store; `packed` is base64. */
type Kept = { readonly packed: string } | { readonly error: Omit<ErrorMessage, 'type' | 'id'> };

/** Tells a new protected message from a repetition, over all nodes. */
@Injectable()
export class ReplayGuard {
  private readonly windowMs: number;

  constructor(
    private readonly store: ReplayStore,
    @Inject(Settings) { replay }: AccessSettings,
    private readonly events: SessionEvents,
  ) {
    this.windowMs = replay.windowMs;
  }

  /**
   * @throws GatehouseError VALIDATION_FAILED without id or ts; STALE_MESSAGE; DUPLICATE_MESSAGE for a different
   *   message with a known id, or if the reply is missing; SERVER_BUSY if it is unknown whether the message is new: it
   *   must not be handled then
   */
  async judge(userId: string, message: InboundMessage): Promise<ReplayVerdict> {
    this.demandTimely(message);
    const key = digest([userId, message.id]);
    const fingerprint = fingerprintOf(message);
    if (message.seal) await this.demandOwnSeal(message.seal.signature, { key, userId });
    const claim = await this.store.claim(key, fingerprint, userId);
    if (claim.state === 'claimed') return { first: this.firstTime(key, fingerprint) };
    if (claim.fingerprint !== fingerprint) throw new GatehouseError('DUPLICATE_MESSAGE');
    if (claim.state === 'answered') {
      this.events.emit('repeated', message.type);
      return { answered: unpacked(claim.answer as Kept) };
    }
    throw new GatehouseError('DUPLICATE_MESSAGE', {
      message: 'A message with this id is still being handled, or its reply was lost',
      retryAfter: RETRY_AFTER_MS,
    });
  }

  private demandTimely({ id, ts, seal }: InboundMessage): void {
    const details: Record<string, string[]> = {};
    if (id === undefined) details.id = ['is required and must not be reused'];
    if (ts === undefined) details.ts = ['must be the time of the message as an integer, in milliseconds since 1970'];
    if (id === undefined || ts === undefined) throw new GatehouseError('VALIDATION_FAILED', { details });
    this.demandWithin(ts, this.windowMs);
    // It is in whole seconds, and so may seem a second older than it is.
    if (seal) this.demandWithin(seal.at, this.windowMs + 1_000);
  }

  private demandWithin(time: number, maxAge: number): void {
    const age = Date.now() - time;
    if (age > maxAge) throw new GatehouseError('STALE_MESSAGE');
    if (age < -MAX_AHEAD_MS) throw new GatehouseError('STALE_MESSAGE', { message: 'Message is from the future' });
  }

  /** Without this, a client without a key could send a payload that it overheard again under another id. */
  private async demandOwnSeal(signature: string, { key, userId }: { key: string; userId: string }): Promise<void> {
    const claim = await this.store.claim(digest(['seal', signature]), key, userId);
    if (claim.state !== 'claimed' && claim.fingerprint !== key) throw new GatehouseError('DUPLICATE_MESSAGE');
  }

  private firstTime(key: string, fingerprint: string): FirstTime {
    return {
      keep: async (answer) => {
        const kept = packed(answer);
        // If this fails, the id stays in use: the message may be lost, but is never handled twice.
        if (kept !== undefined) await this.store.keep(key, fingerprint, kept).catch(() => undefined);
      },
      release: () => this.store.release(key).catch(() => undefined),
    };
  }
}

/**
 * Everything that distinguishes a message from another one with the same id: type, time, payload, and whether it was
 * encrypted, so that nobody gets an encrypted reply as plain text.
 */
export function fingerprintOf({ id, type, ts, enc, data }: InboundMessage): string {
  return digest([id, type, ts, enc ?? null, jsonText(data)]);
}

/** Undefined if it is too large. */
function packed(answer: RememberedAnswer): Kept | undefined {
  if ('error' in answer) return answer;
  // Encoded as between nodes, so that bytes, 64-bit integers and the absence of a reply are preserved.
  const bytes = encodeDraft({
    data: sendable(answer.data),
    from: undefined,
    excludeSession: undefined,
    expiresAt: undefined,
  });
  return bytes.length > MAX_ANSWER_BYTES ? undefined : { packed: bytes.toString('base64') };
}

function unpacked(kept: Kept): RememberedAnswer {
  return 'error' in kept ? kept : { data: decodeDraft(Buffer.from(kept.packed, 'base64')).data };
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
