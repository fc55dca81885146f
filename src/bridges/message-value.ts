import { isTooComplex } from '../protocol/codecs/json-guard.js';

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value of a message: JSON as such, other UTF-8 as a string, the rest as bytes. A message without a value is null.
 *
 * @throws RangeError if it is JSON that no client could read
 */
export function valueOf(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  const text = textOf(bytes);
  if (text === undefined) return bytes;
  if (isTooComplex(text)) throw new RangeError('its JSON nests too deep, or has too many objects and arrays');
  try {
    return JSON.parse(text);
  } catch {
    // It is a text like any other.
    return text;
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes);
  } catch {
    // Bytes of another kind.
    return undefined;
  }
}
