import { ApiProperty } from '@nestjs/swagger';
import {
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  Validate,
  ValidatorConstraint,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { NodeId } from '../nodes/node-id.js';
import { LOG_AREAS, LOG_LEVELS, readLogLevels, type LogLevel, type LogLevels } from '../../../config/log-levels.js';

const MAX_LEVELS_LENGTH = 512;
const DAY_SECONDS = 86_400;

/** The fault in the words of LOG_LEVEL; undefined if there is none. */
function mistakeIn(levels: unknown): string | undefined {
  try {
    readLogLevels(levels as string);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

@ValidatorConstraint({ name: 'levels' })
class Levels implements ValidatorConstraintInterface {
  validate(levels: unknown): boolean {
    return mistakeIn(levels) === undefined;
  }

  defaultMessage(given?: ValidationArguments): string {
    return `levels ${mistakeIn(given?.value)}`;
  }
}

export class LogLevelsQuery {
  /** SERVER_ID of the node. Absent: all nodes @example node-2 */
  @IsOptional()
  @NodeId()
  nodeId?: string;
}

export class LogLevelsRequest extends LogLevelsQuery {
  /** @example info,messages=debug */
  @ApiProperty({
    description: `As LOG_LEVEL: a level (${LOG_LEVELS.join(', ')}), then area=level for areas that differ. Areas: ${Object.keys(LOG_AREAS).join(', ')}`,
  })
  @IsString({ message: 'levels must be a string' })
  @MaxLength(MAX_LEVELS_LENGTH)
  @Validate(Levels)
  levels!: string;

  /** Milliseconds after which LOG_LEVEL applies again. Absent: when the process restarts @example 600 */
  @ApiProperty({ type: 'integer' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(DAY_SECONDS)
  seconds?: number;
}

export class NodeLogLevelsAnswer {
  /** @example node-2 */
  nodeId!: string;

  /** The levels in force, in the form of LOG_LEVEL @example info,messages=debug */
  levels!: string;

  /** LOG_LEVEL of the node @example info */
  configured!: string;

  /** The level of each area @example {"messages": "debug", "connections": "info"} */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string', enum: [...LOG_LEVELS] satisfies LogLevel[] } })
  areas!: LogLevels;

  /**
   * When LOG_LEVEL applies again, in milliseconds since 1970. Absent: when the process restarts
   * @example 1795363200000
   */
  until?: number;
}

export class LogLevelsAnswer {
  nodes!: NodeLogLevelsAnswer[];

  /** Nodes that did not answer within two seconds. They may have changed their levels or not @example [] */
  @ApiProperty({ type: [String] })
  missing!: readonly string[];
}
