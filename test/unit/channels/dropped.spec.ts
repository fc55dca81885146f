import { describe, expect, it } from 'vitest';
import { PRESENCE_GRACE_MS } from '../../../src/channels/presence/presence-tracker.js';
import type { Session } from '../../../src/sessions/session.js';
import { eventually } from '../../support/eventually.js';
import { gate } from '../../support/gate.js';
import { channelNode, ReadableSession } from './node.js';

describe('a session that is dropped while it is entered into presence', () => {
  it('is not subscribed, and not shown for ever', async () => {
    using node = channelNode('presence: true');
    const session = new ReadableSession();
    const door = gate();
    const add = node.store.add.bind(node.store);
    let isAsked = false;
    node.store.add = async (channel, presence) => {
      isAsked = true;
      await door.opened;
      return add(channel, presence);
    };
    const joining = node.subscribe(session);
    const refused = expect(joining).rejects.toMatchObject({ code: 'NOT_SUBSCRIBED' });
    await eventually('the store is asked', () => isAsked);
    expect(node.channels.drop(session as unknown as Session, node.channel)).toBe(true);
    door.open();
    await refused;
    await node.presence.letGo(performance.now() + PRESENCE_GRACE_MS);
    expect(await node.store.members(node.channel.name)).toEqual([]);
  });
});
