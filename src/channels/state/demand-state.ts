import type { AreaOptions } from '../../../config/area-options.js';
import type { StateOptions } from '../../../config/state-options.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Channel } from '../channel.js';

/** @throws GatehouseError FORBIDDEN if the channel holds no state */
export function demandState({ namespace: { state } }: Channel): StateOptions {
  if (state === undefined) throw new GatehouseError('FORBIDDEN', { message: 'This namespace has no state' });
  return state;
}

/** @throws GatehouseError FORBIDDEN if the channel is not divided into cells */
export function demandArea(channel: Channel): AreaOptions {
  const { area } = demandState(channel);
  if (area === undefined) throw new GatehouseError('FORBIDDEN', { message: 'This namespace has no area' });
  return area;
}

/** @throws GatehouseError FORBIDDEN if the channel is divided into cells */
export function demandWhole(channel: Channel): void {
  if (demandState(channel).area === undefined) return;
  throw new GatehouseError('FORBIDDEN', { message: 'This namespace has an area: use area and area.next' });
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
