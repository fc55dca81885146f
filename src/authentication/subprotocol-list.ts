const MAX_HEADER_LENGTH = 16_384;
const MAX_ENTRIES = 64;

// One token (RFC 7230 §3.2.6) between optional white space.
const ENTRY = /^[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*$/;

const NONE: readonly string[] = Object.freeze([]);

/**
 * Reads Sec-WebSocket-Protocol: unique, non-empty tokens (RFC 6455 §4.1). No header is no entries;
 * undefined when it is malformed or longer than any honest client's.
 */
export function readSubprotocolList(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return NONE;
  if (header.length > MAX_HEADER_LENGTH) return undefined;

  const parts = header.split(',', MAX_ENTRIES + 1);
  if (parts.length > MAX_ENTRIES) return undefined;

  const entries = new Set<string>();
  for (const part of parts) {
    const entry = ENTRY.exec(part)?.[1];
    if (entry === undefined || entries.has(entry)) return undefined;
    entries.add(entry);
  }
  return [...entries];
}
