import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import type { Problem } from './problem.js';

/** The OpenAPI schema of a Problem. */
export class ProblemAnswer implements Problem {
  @ApiProperty({ example: 'about:blank' })
  type!: 'about:blank';

  @ApiProperty({ description: 'The reason phrase of the status', example: 'Unprocessable Entity' })
  title!: string;

  @ApiProperty({ example: 422 })
  status!: number;

  @ApiProperty({ example: 'Validation failed' })
  detail!: string;

  @ApiPropertyOptional({
    description: 'The error code, if there is one',
    enum: Object.keys(ERRORS),
    example: 'VALIDATION_FAILED',
  })
  code?: ErrorCode;

  @ApiPropertyOptional({
    description: 'Field → reasons',
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { channel: ['channel must be a string'] },
  })
  errors?: Record<string, string[]>;
}
