// Makes the streams that deploy/config/nats/bridges.yaml and channels.yaml name. Those that are there stay.
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const STREAMS = { ORDERS: ['orders.>'], DEAD: ['dead.>'], ROOMS: ['rooms.>'] };
/** Beyond it the oldest messages go. */
const MAX_BYTES = 268_435_456;

const connection = await connect({ servers: process.env.NATS_SERVER ?? 'nats://nats:4222' });
const { streams } = await jetstreamManager(connection);
for (const [name, subjects] of Object.entries(STREAMS)) await streams.add({ name, subjects, max_bytes: MAX_BYTES });
await connection.close();
