/** Errors of AWS are told apart by their name. In version 3 of the SDK, `statusCode` is undefined. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** The service asks the caller to slow down, or could not answer in time. */
const BUSY = new Set([
  'InternalServerError',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
]);

/** The service could not be reached, or the connection to it broke. */
const UNREACHABLE = new Set(['EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT']);
const SERVER_FAULT = 500;

/** Whether a later try may succeed. */
export function isBusy(error: unknown): boolean {
  const { code, $metadata } = (error ?? {}) as { readonly code?: unknown; readonly $metadata?: Metadata };
  return (
    BUSY.has(nameOfError(error)) || UNREACHABLE.has(String(code)) || Number($metadata?.httpStatusCode) >= SERVER_FAULT
  );
}

interface Metadata {
  readonly httpStatusCode?: number;
}
