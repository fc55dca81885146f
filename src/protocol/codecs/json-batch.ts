const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
/** `[` and `{` differ only in this bit, and so do `]` and `}`. */
const CURLY = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Cuts a JSON list into the texts of its items, without reading these. Undefined if it is no list, or has more than
 * `most` items: then it is one message, which no codec reads.
 */
export function itemsOf(bytes: Buffer, most: number): readonly Buffer[] | undefined {
  const start = skipSpace(bytes, 0);
  if (bytes[start] !== OPEN_LIST) return undefined;
  const items: Buffer[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start + 1; at < bytes.length; at += 1) {
    const code = bytes[at] ?? 0;
    if (code === QUOTE) {
      at = endOfText(bytes, at);
      continue;
    }
    const isItem = depth === 0 && (code === COMMA || code === CLOSE_LIST);
    if (isItem) {
      // An empty list has one empty item, which is no message: it counts as malformed, and is not free.
      items.push(bytes.subarray(from, at));
      if (items.length > most) return undefined;
      if (code === CLOSE_LIST) return skipSpace(bytes, at + 1) === bytes.length ? items : undefined;
      from = at + 1;
    } else if ((code | CURLY) === OPEN) depth += 1;
    else if ((code | CURLY) === CLOSE) depth -= 1;
  }
  return undefined;
}

/** Of a text in quotes; the end of the bytes if it has none. */
function endOfText(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}
