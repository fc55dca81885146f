import { applyDecorators, Controller, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiHeader, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { ApiGuard } from './api.guard.js';
import { ApiValidationPipe } from './api-validation.pipe.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { PROBLEM_TYPE } from '../../transport/problem-json.js';
import { ProblemAnswer } from './problem.answer.js';

/** Errors of single endpoints, besides those of all endpoints. */
type ProblemStatus = keyof typeof CAUSES;

const CAUSES = {
  400: 'The body is not JSON or is too complex, or the URL is malformed',
  401: 'No token, or an invalid one',
  403: 'The roles of the token do not allow the request, or it concerns someone with a higher role',
  404: 'Not found',
  409: 'A request with the same Idempotency-Key is still in progress',
  413: 'The body is longer than API_MAX_BODY_BYTES',
  415: 'The body is not application/json',
  421: 'The request names another node; send it to that node',
  422: 'A field is invalid or unknown; see `errors`',
  429: 'Too many invalid tokens from this address; has Retry-After',
  500: 'A fault of the server; see its log',
  504: 'The node did not answer in time',
  507: 'Not enough memory or disk space',
  503: 'Redis or the keys of the issuer cannot be reached, or no node accepts clients; has Retry-After',
} as const;

/** A controller of the server API under /api: permissions, validation and error responses. */
export function ApiController(tag: string): ClassDecorator {
  return applyDecorators(
    Controller('api'),
    UseGuards(ApiGuard),
    UseInterceptors(AuditInterceptor),
    UsePipes(ApiValidationPipe),
    UseFilters(ProblemFilter),
    ApiTags(tag),
    ApiBearerAuth(),
    Problems(401, 403, 429, 500, 503),
  );
}

/** Documents errors of an endpoint. */
export function Problems(...statuses: readonly ProblemStatus[]): ClassDecorator & MethodDecorator {
  return applyDecorators(...statuses.map((status) => ProblemWhere(status, CAUSES[status])));
}

/** Documents an error with a cause that is specific to an endpoint. */
export function ProblemWhere(status: ProblemStatus, description: string): ClassDecorator & MethodDecorator {
  const content = { [PROBLEM_TYPE]: { schema: { $ref: getSchemaPath(ProblemAnswer) } } };
  return applyDecorators(ApiExtraModels(ProblemAnswer), ApiResponse({ status, description, content }));
}

/** For endpoints that read a body. */
export function WithBody(): MethodDecorator {
  return Problems(400, 413, 415, 422);
}

/** For endpoints that carry out a request once for each key. */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    Problems(409),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'A second request with the same key within five minutes is not carried out again and gets the same response.',
      schema: { type: 'string', minLength: 1, maxLength: 128 },
      example: 'order-4711-shipped',
    }),
  );
}
