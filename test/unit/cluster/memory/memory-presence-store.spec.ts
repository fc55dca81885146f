import { expect, it } from 'vitest';
import type { ChannelName } from '../../../../src/cluster/ports/broker.js';
import { MemoryPresenceStore } from '../../../../src/cluster/memory/memory-presence-store.js';
import { describePresenceStore } from '../presence-contract.js';

describePresenceStore('the memory presence store', {
  isShared: false,
  create: async () => new MemoryPresenceStore(),
});

it('keeps nothing of a channel that everyone has left', async () => {
  const store = new MemoryPresenceStore();
  for (let n = 0; n < 1_000; n += 1) {
    const presence = { sessionId: `s${n}`, userId: 'alice' };
    await store.add(`room:${n}` as ChannelName, presence);
    await store.remove(`room:${n}` as ChannelName, presence);
  }
  expect(store.size).toBe(0);
});
