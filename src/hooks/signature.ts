import { createHmac } from 'node:crypto';

/** What is signed of a request. */
export interface Signed {
  /** Stays the same when a request is repeated. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Returns the headers of Standard Webhooks: https://www.standardwebhooks.com. With two secrets there are two signatures, so
 * that a back end may verify with either.
 */
export function signatureHeaders(signed: Signed, secrets: readonly Buffer[]): Record<string, string> {
  const { id, timestamp, body } = signed;
  const content = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
