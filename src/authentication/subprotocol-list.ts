const MAX_HEADER_LENGTH = 16_384;
const MAX_ENTRIES = 64;

// One token (RFC 7230 §3.2.6) between optional white space.
const ENTRY = /^[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*$/;

const EMPTY = /^[ \t]*$/;

const NONE: readonly string[] = Object.freeze([]);

/**
 * Reads Sec-WebSocket-Protocol: unique tokens (RFC 6455 §4.1). Without a header it is empty. Undefined if it is
 * malformed or too long. Empty list elements are ignored (RFC 9110 §5.6.1.2), but not a list of nothing else.
 */
export function readSubprotocolList(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return NONE;
  if (header.length > MAX_HEADER_LENGTH) return undefined;

  const entries = new Set<string>();
  for (const part of header.split(',')) {
    if (EMPTY.test(part)) continue;
    const entry = ENTRY.exec(part)?.[1];
    if (entry === undefined || entries.has(entry) || entries.size === MAX_ENTRIES) return undefined;
    entries.add(entry);
  }
  return entries.size === 0 ? undefined : [...entries];
}
