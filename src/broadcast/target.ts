/** Whom a message is for, as data: it travels to other nodes. */
export type Target =
  { readonly to: 'everyone' } | { readonly to: 'user' | 'session' | 'role' | 'channel'; readonly name: string };
