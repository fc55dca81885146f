export const FAN_OUT = 'fan-out';

/** What one invocation hands to another: receivers, and what they get. */
export interface FanOutEvent {
  readonly gatehouse: typeof FAN_OUT;
  readonly endpoint: string;
  /** Set if the ids are members of a channel. */
  readonly channel?: string;
  /** In base64. */
  readonly payload: string;
  readonly ids: readonly string[];
}

export function isFanOutEvent(event: unknown): event is FanOutEvent {
  if (typeof event !== 'object' || event === null) return false;
  const { gatehouse, endpoint, channel = '', payload, ids } = event as Partial<Record<keyof FanOutEvent, unknown>>;
  if (gatehouse !== FAN_OUT || !Array.isArray(ids)) return false;
  return [endpoint, channel, payload, ...ids].every((text) => typeof text === 'string');
}
