import type { StateOptions } from '../../../config/state-options.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Channel } from '../channel.js';

/** @throws GatehouseError FORBIDDEN if the channel holds no state */
export function demandState({ namespace: { state } }: Channel): StateOptions {
  if (state === undefined) throw new GatehouseError('FORBIDDEN', { message: 'This namespace has no state' });
  return state;
}

/**
 * A publication of another kind would be lost on those who have only the values.
 *
 * @throws GatehouseError FORBIDDEN if the channel holds state
 */
export function demandMessages({ namespace: { state } }: Channel): void {
  if (state !== undefined) {
    throw new GatehouseError('FORBIDDEN', { message: 'This namespace has state: use state.set and state.remove' });
  }
}
