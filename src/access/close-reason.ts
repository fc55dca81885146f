/** RFC 6455 §5.5 leaves 125 bytes, of which the code takes two. */
const MAX_BYTES = 123;

/**
 * An operator's reason, cut to the length of a close frame. Undefined, which stands for the text of the registry, if
 * nothing is left.
 */
export function closeReason(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  let reason = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_BYTES) break;
    reason += character;
  }
  return reason;
}
