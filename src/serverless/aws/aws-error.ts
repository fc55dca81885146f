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

export function isBusy(error: unknown): boolean {
  return BUSY.has(nameOfError(error));
}
