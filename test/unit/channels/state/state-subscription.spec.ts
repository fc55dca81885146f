import { describe, expect, it } from 'vitest';
import type { Publication } from '../../../../src/cluster/ports/broker.js';
import { ChannelPush } from '../../../../src/channels/channel-push.js';
import { SlowReaders } from '../../../../src/channels/state/slow-readers.js';
import { StateCounts } from '../../../../src/channels/state/state-counts.js';
import { SLOW_BYTES, StateSubscription } from '../../../../src/channels/state/state-subscription.js';
import { StateView } from '../../../../src/channels/state/state-view.js';
import type { Session } from '../../../../src/sessions/session.js';

const NAME = 'twin:1';

describe('a reader that is slow while very many keys change', () => {
  it('keeps the names of few of them, and gets the whole state when it keeps up again', () => {
    const connection = { waitingBytes: SLOW_BYTES };
    const resent: unknown[] = [];
    const resend = (one: unknown): void => void resent.push(one);
    const position = { epoch: 'e', seq: 0 };
    const slow = new SlowReaders();
    const shared = { view: new StateView(), counts: new StateCounts(), slow, cell: undefined, position, resend };
    const subscription = new StateSubscription({ connection } as unknown as Session, NAME, shared);
    subscription.goLive();
    for (let seq = 1; seq <= 100; seq += 1) {
      const keys = Array.from({ length: 100 }, (_, n) => [`key-${seq}-${n}`, 1] as const);
      const data = { set: Object.fromEntries(keys) };
      const message = { type: 'message', channel: NAME, data };
      subscription.offer(new ChannelPush({ epoch: 'e', seq, message, publication: { seq, data } as Publication }));
    }
    expect((Reflect.get(subscription, 'owed') as Set<string>).size).toBe(1_001);
    connection.waitingBytes = 0;
    slow.settle();
    expect(resent).toEqual([subscription]);
  });
});
