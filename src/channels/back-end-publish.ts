import { holdsInfinity, holdsProtoKey } from '../protocol/codecs/json-guard.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Channels } from './channels.js';
import type { BridgedRequest } from './channel-egress.js';

/**
 * What became of a publish for a back end: it was published, had been published before, can never be published, or
 * could not be published now.
 */
export type BackEndOutcome = 'published' | 'repeated' | { readonly refused: string } | { readonly failure: string };

/** It would be published as soon as the cluster is well again. */
const TEMPORARY: readonly string[] = ['SERVER_BUSY', 'NOT_REPLICATED'];

/** Publishes what a back end has written to a database or a broker. Never rejects. */
export async function publishForBackEnd(
  channels: Channels,
  channel: string,
  request: BridgedRequest,
): Promise<BackEndOutcome> {
  try {
    // As the server API refuses them: a client would get null for the number, and must not get the key.
    if (holdsInfinity(request.data)) return { refused: 'its data has a number such as 1e400' };
    if (holdsProtoKey(request.data)) return { refused: 'its data has a key __proto__' };
    const { isRepeat } = await channels.publish(channels.named(channel), request);
    return isRepeat ? 'repeated' : 'published';
  } catch (error) {
    return outcomeOf(error);
  }
}

function outcomeOf(error: unknown): BackEndOutcome {
  if (error instanceof GatehouseError) {
    if (TEMPORARY.includes(error.code)) return { failure: error.code };
    return { refused: `${error.code}: ${error.message}` };
  }
  const isBadData = error instanceof TypeError || error instanceof RangeError;
  return isBadData ? { refused: error.message } : { failure: (error as Error).message };
}
