import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { ForwardRule } from '../../config/edge-file.js';
import { matcherOf } from '../../config/hooks.js';
import type { Channel } from '../channels/channel.js';
import type { PublicationRelay } from '../channels/publication-relay.js';
import { idempotencyKeyOf, type PublishRequest } from '../channels/publish-request.js';
import { sendable } from '../protocol/codecs/sendable.js';
import type { Outbox } from './store/outbox.js';

interface Pattern {
  readonly rule: ForwardRule;
  readonly matches: (channel: string) => boolean;
}

/** Beyond it, the rules of further channels are looked up each time. */
const MAX_KNOWN = 10_000;

/** Stores the publications of forwarded channels for the centre. */
@Injectable()
export class ChannelRelay implements PublicationRelay {
  private readonly patterns: readonly Pattern[];
  private readonly known = new Map<string, ForwardRule | undefined>();

  /** @param isMirrored whether the centre's publications of a channel come down */
  constructor(
    rules: readonly ForwardRule[],
    private readonly outbox: Outbox,
    private readonly isMirrored: (channel: string) => boolean,
  ) {
    this.patterns = rules.flatMap((rule) => rule.channels.map((pattern) => ({ rule, matches: matcherOf(pattern) })));
  }

  keep({ name, namespace }: Channel, request: PublishRequest): Promise<'here_too' | 'there'> | undefined {
    // It would lie in plain text on the disk.
    if (namespace.encryption === 'required') return undefined;
    const rule = this.ruleOf(name);
    if (rule === undefined) return undefined;
    const where = this.isMirrored(name) ? 'there' : 'here_too';
    const message = { channel: name, data: sendable(request.data), key: keyOf(request) };
    return this.outbox.append(rule, message).then(() => where);
  }

  private ruleOf(name: string): ForwardRule | undefined {
    if (this.known.has(name)) return this.known.get(name);
    const found = this.patterns.find(({ matches }) => matches(name))?.rule;
    if (this.known.size < MAX_KNOWN) this.known.set(name, found);
    return found;
  }
}

/** The centre knows the edge as the one publisher, so the user is a part of the key. It has one length. */
function keyOf(request: PublishRequest): string | undefined {
  const key = idempotencyKeyOf(request);
  return key && createHash('sha256').update(key).digest('base64url');
}
