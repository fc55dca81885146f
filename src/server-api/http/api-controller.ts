import { applyDecorators, Controller, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiHeader, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { ApiGuard } from './api.guard.js';
import { ApiValidationPipe } from './api-validation.pipe.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { ProblemFilter } from './problem.filter.js';
import { PROBLEM_TYPE } from '../../transport/problem-json.js';
import { ProblemAnswer } from './problem.answer.js';

/** What may go wrong with an endpoint, apart from what may with all of them. */
type ProblemStatus = keyof typeof CAUSES;

const CAUSES = {
  400: 'The body is no JSON, too complex, or the URL is malformed',
  401: 'No token, or a bad one',
  403: 'The token has neither the role ADMIN nor SERVICE, or it is about a person or an order above the caller',
  404: 'There is no such thing',
  409: 'A request with the same Idempotency-Key is still under way',
  413: 'The body is longer than API_MAX_BODY_BYTES',
  415: 'The body is not application/json',
  421: 'Another node is meant, which has to be asked itself',
  422: 'A field is not what it must be, or unknown; see `errors`',
  429: 'Too many bad tokens from this address; with Retry-After',
  500: 'A fault of the server; it is in its log',
  504: 'The node did not answer in time',
  507: 'There is not enough memory or disk for it',
  503: 'Redis or the issuer’s keys cannot be reached, or no node takes clients; with Retry-After',
} as const;

/** A controller of the server API under /api: who may pass, what is validated, how errors are answered. */
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

/** Documents errors an endpoint can be answered with. */
export function Problems(...statuses: readonly ProblemStatus[]): ClassDecorator & MethodDecorator {
  return applyDecorators(...statuses.map((status) => ProblemWhere(status, CAUSES[status])));
}

/** Documents an error that has a cause of its own at an endpoint. */
export function ProblemWhere(status: ProblemStatus, description: string): ClassDecorator & MethodDecorator {
  const content = { [PROBLEM_TYPE]: { schema: { $ref: getSchemaPath(ProblemAnswer) } } };
  return applyDecorators(ApiExtraModels(ProblemAnswer), ApiResponse({ status, description, content }));
}

/** For endpoints that read a body. */
export function WithBody(): MethodDecorator {
  return Problems(400, 413, 415, 422);
}

/** For endpoints that do something only once for a key. */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    Problems(409),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        'Within five minutes of the first request with the same key it is not done again, and answered alike.',
      schema: { type: 'string', minLength: 1, maxLength: 128 },
      example: 'order-4711-shipped',
    }),
  );
}
