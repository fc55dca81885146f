import type { StreamSource } from '../../../config/bridges/sources.js';
import type { NatsReaderParts } from './nats-reader.js';

/**
 * A message that is not acknowledged for this long is sent again. With one message in flight it holds up the others for
 * that time, if the node that has it is killed.
 */
const ACK_WAIT_MS = 5_000;

/**
 * Makes the durable of a source, or changes it to what the source says.
 *
 * @throws Error if there is no such stream, or the durable is of another kind
 */
export async function ensureDurable(
  { nats, stream, durable, from, inFlight }: StreamSource,
  { manager, packages }: NatsReaderParts,
): Promise<void> {
  const { AckPolicy, DeliverPolicy, JetStreamApiCodes, JetStreamApiError } = packages.jetstream;
  const nanos = packages.nats.nanos(ACK_WAIT_MS);
  const wanted = { filter_subject: nats, ack_wait: nanos, max_ack_pending: inFlight };
  try {
    const { config } = await manager.consumers.info(stream, durable);
    if (config.ack_policy !== AckPolicy.Explicit || config.deliver_subject !== undefined) {
      throw new Error(`the durable ${durable} must be a pull consumer with explicit acknowledgements`);
    }
    const isCurrent = Object.entries(wanted).every(([key, value]) => config[key as keyof typeof wanted] === value);
    if (!isCurrent) await manager.consumers.update(stream, durable, wanted);
  } catch (error) {
    const isMissing = error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound;
    if (!isMissing) throw error;
    await manager.consumers.add(stream, {
      ...wanted,
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: from === 'latest' ? DeliverPolicy.New : DeliverPolicy.All,
      max_deliver: -1,
    });
  }
}
