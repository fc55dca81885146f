/** The receivers of a message as data, for other nodes. */
export type Target =
  | { readonly to: 'everyone' }
  | { readonly to: 'user' | 'session' | 'role' | 'channel'; readonly name: string };
