import { afterAll, beforeAll } from 'vitest';
import { MemoryRecordStore } from '../../../../src/cluster/memory/memory-record-store.js';
import type { ListRecord, RecordStore, RecordType } from '../../../../src/cluster/ports/record-store.js';
import { describeAnswerStore } from '../answer-store-contract.js';
import { describeBroker } from '../broker-contract.js';
import { describeNodeRegistry } from '../node-registry-contract.js';
import { describePresenceStore } from '../presence-contract.js';
import { describeRecordStore } from '../record-store-contract.js';
import { describeSharedCounts } from '../shared-counts-contract.js';
import { describeStateCells } from '../state-cells-contract.js';
import { describeStateStore, type StateFactory } from '../state-store-contract.js';
import { RemoteGround } from './remote-ground.js';

let ground: RemoteGround;
beforeAll(async () => void (ground = await RemoteGround.start()));
afterAll(() => ground[Symbol.asyncDispose]());

describeBroker('RemoteBroker', { isShared: true, create: async () => (await ground.engine()).broker });

const STATE: StateFactory = {
  isShared: true,
  create: async () => {
    const { state: store, broker } = await ground.engine();
    return { store, broker, close: () => broker.close() };
  },
};
describeStateStore('RemoteStateStore', STATE);
describeStateCells('the cells of RemoteStateStore', STATE);

describePresenceStore('RemotePresenceStore', {
  isShared: true,
  create: async () => (await ground.node(`node-${Math.random()}`)).presence,
});

describeSharedCounts('RemoteSharedCounts', {
  isShared: true,
  create: async (nodeId) => (await ground.node(nodeId)).counts,
});

describeNodeRegistry('RemoteNodeRegistry', {
  isShared: true,
  create: async (nodeId) => (await ground.engine(nodeId)).registry,
});

describeAnswerStore('RemoteAnswerStore', async () => (await ground.engine()).answers);
describeAnswerStore('RemoteAnswerStore of replays', async () => (await ground.engine()).replays);

const sizes = new Map<string, number | undefined>();
describeRecordStore('RemoteRecordStore', {
  isShared: true,
  create: async <R extends ListRecord>(type: RecordType<R>, max?: number): Promise<RecordStore<R>> => {
    const name = type.list;
    // A list of another size is another list, as the suite expects.
    if (max !== sizes.get(name)) Object.assign(ground.host, { [name]: new MemoryRecordStore(type, max) });
    sizes.set(name, max);
    return (await ground.engine())[name] as unknown as RecordStore<R>;
  },
});
