import type { Publisher } from '@gatehouse/protocol';
import type { ContractShape, EventData, EventType } from '../protocol/declared-contract.js';
import { FERNET, type PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import type { BroadcastDelivery } from './delivery.js';
import type { Target } from './target.js';

/** Delivers a message to its sessions. */
export interface Carrier {
  /** @returns how many sessions of this node took it */
  emit(delivery: BroadcastDelivery): number;
  /** Resolves with how many sessions took it, over all nodes. */
  deliver(delivery: BroadcastDelivery): Promise<number>;
}

type Cipher = Pick<PayloadCipher, 'seal'>;

interface AudienceOptions {
  readonly target: Target;
  readonly carrier: Carrier;
  readonly except?: readonly string[];
  readonly publisher?: Publisher;
  readonly cipher?: Cipher | undefined;
}

/** Those a message goes to, on whatever node they are. Immutable: `except`, `from` and `sealedBy` make another. */
export class Audience<C extends ContractShape = ContractShape> {
  constructor(private readonly options: AudienceOptions) {}

  /** Leaves out this session, as a rule the one that caused the message. */
  except({ id }: { readonly id: string }): Audience<C> {
    return new Audience({ ...this.options, except: [...(this.options.except ?? []), id] });
  }

  /** Names the session that caused the message as its `from`. */
  from({ publisher }: { readonly publisher: Publisher }): Audience<C> {
    return new Audience({ ...this.options, publisher });
  }

  /**
   * Encrypts the payload, once for all receivers.
   *
   * @param cipher the `MessageContext.cipher` of the message that you pass on; undefined leaves the payload plain
   */
  sealedBy(cipher: Cipher | undefined): Audience<C> {
    return new Audience({ ...this.options, cipher });
  }

  /**
   * Sends a message to all receivers. Those on this node get it at once, those on other nodes when it arrives there;
   * without Redis it does not.
   *
   * @param data must not be changed afterwards
   * @returns how many sessions of this node took it, without those whose connection is closing or too slow
   * @throws TypeError or RangeError if the data cannot be encoded
   */
  emit<Type extends EventType<C>>(type: Type, ...[data]: EventData<C, Type>): number {
    return this.options.carrier.emit(this.delivery(type, data));
  }

  /**
   * Sends a message and waits for the counts of the other nodes. Nodes that do not answer within two seconds are not
   * counted.
   *
   * @param data must not be changed afterwards
   * @throws TypeError or RangeError if the data cannot be encoded
   */
  deliver<Type extends EventType<C>>(type: Type, ...[data]: EventData<C, Type>): Promise<number> {
    return this.options.carrier.deliver(this.delivery(type, data));
  }

  private delivery(type: string, data: unknown): BroadcastDelivery {
    const { target, except = [], publisher, cipher } = this.options;
    const payload = cipher && data !== undefined ? { data: cipher.seal(data), enc: FERNET } : { data, enc: undefined };
    return { target, except, type, from: publisher, ...payload };
  }
}
