/** Error codes of JetStream: with these it never takes a message. */
const CODES = new Set([
  // The message is larger than the stream takes.
  10_054,
  // The subject belongs to another stream.
  10_060,
  // The headers are larger than 64 KiB.
  10_097,
  // The stream is sealed.
  10_109,
]);
/** Errors of the client: the message is larger than the server takes, or has a bad header or subject; or no rights. */
const NAMES = new Set(['InvalidArgumentError', 'InvalidSubjectError', 'PermissionViolationError']);

type NatsError = Error & { readonly code?: unknown; readonly cause?: unknown };

/**
 * Returns why the server will never take a message; undefined if it may take it later. A stream that does not exist may be
 * made, and one that is full may be emptied, but rights are not waited for.
 */
export function natsRefusalOf(error: unknown): string | undefined {
  const { name, code, message, cause } = error as NatsError;
  if (NAMES.has(name) || (typeof code === 'number' && CODES.has(code))) return message;
  return cause instanceof Error ? natsRefusalOf(cause) : undefined;
}

/** Whether the message alone is refused, and a smaller one would not be. */
export function isTooLarge(error: unknown): boolean {
  const { name, code } = error as NatsError;
  return name === 'InvalidArgumentError' || code === 10_054 || code === 10_097;
}
