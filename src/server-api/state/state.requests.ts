import { ApiProperty } from '@nestjs/swagger';
import { Allow, IsInt, IsOptional, IsString, Min } from 'class-validator';
import { ANY_JSON } from '../http/any-json.js';
import { WholeNumber } from '../http/query-values.js';

export class StatePath {
  /** `namespace:name`, percent-encoded if needed @example twin:line-1 */
  @IsString()
  channel!: string;

  /** 1 to 256 characters, percent-encoded if needed @example robot-7 */
  @IsString()
  key!: string;
}

/** One of `patch` and `value` */
export class SetStateRequest {
  /** A JSON Merge Patch (RFC 7396): a field that is null is removed @example {"x": 4, "alarm": null} */
  @ApiProperty({ ...ANY_JSON, required: false })
  @Allow()
  patch?: unknown;

  /** The whole value, instead of a patch @example {"x": 4, "y": 2} */
  @ApiProperty({ ...ANY_JSON, required: false })
  @Allow()
  value?: unknown;

  /** Only if the key is at this version; 0: only if it is absent. Otherwise 409 @example 17 */
  @ApiProperty({ type: 'integer' })
  @IsOptional()
  @IsInt()
  @Min(0)
  ifVersion?: number;
}

export class RemoveStateQuery {
  /** Only if the key is at this version. Otherwise 409 */
  @ApiProperty({ type: 'integer' })
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  ifVersion?: number;
}

export class StateChangeAnswer {
  /** @example twin:line-1 */
  channel!: string;

  /** @example robot-7 */
  key!: string;

  /** @example mZ3kq0aB */
  epoch!: string;

  /** 0: the key is absent @example 17 */
  version!: number;
}

export class StateAnswer extends StateChangeAnswer {
  /** @example {"x": 4, "y": 2} */
  @ApiProperty(ANY_JSON)
  value?: unknown;
}
