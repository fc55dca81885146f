/** Each way in which a change of the contract can break clients that were built before it. */
export const BREAKING_CHANGES = {
  'removed type': 'The server no longer answers messages of a type.',
  'removed request field': 'The server no longer reads a field that clients send.',
  'new required field': 'Clients must send a field that they did not have to send.',
  'data demanded': 'Clients must send data with a message that needed none.',
  'narrowed enum': 'Clients may no longer send a value.',
  'tightened bounds': 'Clients may no longer send some texts, numbers or lists.',
  'changed field type': 'A field has another type.',
  'role demanded': 'Clients need another role, or must be signed in.',
  'replay protection demanded': 'A message must now have `id` and `ts`.',
  'removed reply': 'A reply no longer carries what it did.',
  'removed reply field': 'A field of a reply, an event or a publication is gone.',
  'field may be absent': 'A field that was always there may now be absent.',
  'removed event': 'The server no longer declares an event.',
  'removed publication class': 'Publications of a namespace may now be anything.',
  'removed namespace': 'There are no such channels any more.',
} as const;

/** The name of a kind of breaking change. */
export type BreakingKind = keyof typeof BREAKING_CHANGES;

/** A change that breaks clients. */
export interface BreakingChange {
  readonly kind: BreakingKind;
  /** A sentence that says what changed. */
  readonly sentence: string;
}
