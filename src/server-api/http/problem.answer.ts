import type { ErrorCode } from '@gatehouse/protocol';
import type { Problem } from './problem.js';

/** The OpenAPI schema of a Problem. */
export class ProblemAnswer implements Problem {
  /** @example about:blank */
  type!: 'about:blank';

  /** The reason phrase of the status @example "Unprocessable Entity" */
  title!: string;

  /** @example 422 */
  status!: number;

  /** @example "Validation failed" */
  detail!: string;

  /** The error code, if there is one @example VALIDATION_FAILED */
  code?: ErrorCode;

  /** Field → reasons @example {"channel": ["channel must be a string"]} */
  errors?: Record<string, string[]>;
}
