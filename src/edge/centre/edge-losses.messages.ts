import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsInt, Matches, Min, ValidateNested } from 'class-validator';
import { MAX_LOSSES, type AnnouncedLoss } from '../edge-protocol.js';
import { LOSSES, type Loss } from '../store/stream-counts.js';

/** Messages of one rule that the centre will never get. */
export class AnnouncedLossData implements AnnouncedLoss {
  @Matches(/^[\w-]{1,32}$/)
  rule!: string;

  @IsIn(LOSSES)
  outcome!: Loss;

  /** How many the centre was told before, since the store was made. */
  @IsInt()
  @Min(0)
  after!: number;

  /** How many there are by now. */
  @IsInt()
  @Min(0)
  total!: number;
}

export class AnnouncedLosses {
  @IsArray()
  @ArrayMaxSize(MAX_LOSSES)
  @ValidateNested({ each: true })
  @Type(() => AnnouncedLossData)
  losses!: AnnouncedLossData[];
}
