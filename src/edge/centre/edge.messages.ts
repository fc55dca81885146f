import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsObject, Length, Matches, Min } from 'class-validator';
import { MAX_RECORDS, type CentreOrder } from '../edge-protocol.js';

/** Which version an edge speaks. */
export class EdgeHello {
  @IsInt()
  @Min(1)
  protocol!: number;
}

export class EdgeWelcome {
  protocol!: number;
  /** The name of the edge: the `sub` of its token. */
  edge!: string;
}

/** Asks for the bans and revocations of the centre, page by page. */
export class EdgeOrdersRequest {
  /** 0, or `next` of the page before. From 0 on, changes are told, too. */
  @IsInt()
  @Min(0)
  from!: number;
}

export class EdgeOrdersReply {
  orders!: readonly CentreOrder[];
  next?: number;
}

/** Records of one stream of an edge's outbox, in order. */
export class EdgeForward {
  /** The run of the edge that wrote them. */
  @Length(1, 32)
  @Matches(/^[\w-]+$/)
  run!: string;

  /** Each is checked as it is read, so that one bad record does not hold up the others. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_RECORDS)
  @IsObject({ each: true })
  records!: Record<string, unknown>[];
}

/** A record that can never be published. */
export class RefusedRecord {
  seq!: number;
  code!: string;
}

export class EdgeForwarded {
  /** Every record up to this seq is published, known or refused, and can be forgotten. 0: none of these. */
  upTo!: number;
  /** Records that had been published before. */
  repeated!: number;
  refused!: RefusedRecord[];
}
