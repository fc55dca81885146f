import { Injectable } from '@nestjs/common';
import type { ChannelName } from '../../cluster/ports/broker.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import { ChannelHub } from '../channel-hub.js';
import { Ledgers } from './ledgers.js';
import { accountOf, type NodeAccount, type Question } from './node-account.js';

/** What this node knows, for questions of this node and of others. */
@Injectable()
export class NodeAccounts {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly ledgers: Ledgers,
    private readonly hub: ChannelHub,
    private readonly sessions: SessionRegistry,
  ) {}

  get nodeId(): string {
    return this.registry.self.nodeId;
  }

  /** Null if this node has no ledger for the namespace. */
  of(question: Question): NodeAccount | null {
    const { nodeId, ledgers, sessions } = this;
    const ledger = ledgers.of({ name: question.namespace });
    if (ledger === undefined) return null;
    const local = this.hub.get(question.channel as ChannelName);
    return accountOf(question, { nodeId, ledgers, ledger, sessions, local });
  }
}
