export const MAX_CHANNEL_NAME_LENGTH = 255;

/** `namespace:name`; the name is any printable text, so that ids of any kind fit. */
const SHAPE = /^([\w-]{1,64}):([^\s\p{C}][^\p{C}]*)$/u;

export interface ChannelNameParts {
  readonly namespace: string;
  /** The part after the colon. */
  readonly localName: string;
}

/** Returns undefined if no channel can have this name. */
export function parseChannelName(name: string): ChannelNameParts | undefined {
  if (name.length > MAX_CHANNEL_NAME_LENGTH) return undefined;
  const [, namespace, localName] = SHAPE.exec(name) ?? [];
  return namespace === undefined || localName === undefined ? undefined : { namespace, localName };
}
