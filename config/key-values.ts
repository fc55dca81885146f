const PAIR = /^([^=\s]+)\s*=\s*(.*)$/;

/**
 * `key=value,key=value` with percent-encoded values, like the OpenTelemetry variables (W3C Baggage).
 *
 * @throws Error whose message says what the text must be
 */
export function keyValues(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
  return Object.fromEntries(pairs.map(keyValue));
}

function keyValue(pair: string): [key: string, value: string] {
  const [, key, value] = PAIR.exec(pair) ?? [];
  const decoded = value === undefined ? undefined : decode(value);
  if (key === undefined || decoded === undefined) {
    throw new Error('must be key=value pairs separated by commas, with special characters percent-encoded');
  }
  return [key, decoded];
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
