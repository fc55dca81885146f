import { Type } from 'class-transformer';
import {
  Allow,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

/** The session that published. */
class PublicationSender {
  @IsString()
  userId!: string;

  @IsString()
  sessionId!: string;
}

/** A publication in a reply. */
export class PublicationInReply {
  @IsInt()
  @Min(1)
  seq!: number;

  @IsInt()
  ts!: number;

  @IsOptional()
  @IsString()
  enc?: string;

  @Allow()
  data?: unknown;

  @IsOptional()
  @ValidateNested()
  @Type(() => PublicationSender)
  from?: PublicationSender | undefined;
}

/** Publications that are lost: from the first to the last seq, both included. */
export class ChannelGap {
  /** Null where nobody can say how much is lost. */
  @ValidateIf((_gap, value) => value !== null)
  @IsInt()
  from!: number | null;

  @IsInt()
  to!: number;
}

/** Where a channel stands; both are absent where its namespace keeps no history. */
class ChannelPosition {
  @IsOptional()
  @IsString()
  epoch?: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  seq?: number;
}

export class Subscription extends ChannelPosition {
  @IsString()
  channel!: string;

  /** Whether `publications` is exactly what the client missed. */
  @IsBoolean()
  recovered!: boolean;

  @ValidateNested({ each: true })
  @Type(() => PublicationInReply)
  publications!: readonly PublicationInReply[];

  @IsOptional()
  @ValidateNested()
  @Type(() => ChannelGap)
  gap?: ChannelGap;

  /** In a state channel the values, key by key, unless `recovered`. They replace all that the client has. */
  @IsOptional()
  @IsObject()
  state?: Readonly<Record<string, unknown>>;

  /** Key → version, for `ifVersion`. */
  @IsOptional()
  @IsObject()
  versions?: Readonly<Record<string, number>>;

  /** Whether there are more values, which `state.next` brings. */
  @IsOptional()
  @IsBoolean()
  more?: true;
}

export class Unsubscribed {
  @IsString()
  channel!: string;
}

export class Published extends ChannelPosition {
  @IsString()
  channel!: string;
}

export class ChannelHistory extends ChannelPosition {
  @ValidateNested({ each: true })
  @Type(() => PublicationInReply)
  publications!: readonly PublicationInReply[];
}

/** A session that is subscribed. */
class ChannelMember {
  @IsString()
  sessionId!: string;

  @IsString()
  userId!: string;
}

export class ChannelMembers {
  @ValidateNested({ each: true })
  @Type(() => ChannelMember)
  members!: readonly ChannelMember[];

  @IsInt()
  @Min(0)
  count!: number;
}

class PresentUser {
  @IsString()
  userId!: string;
}

/** A user came or left. */
export class PresenceChange {
  @IsIn(['join', 'leave'])
  event!: 'join' | 'leave';

  @ValidateNested()
  @Type(() => PresentUser)
  member!: PresentUser;
}

/** The session lost the right to a subscription, or to its presence events. */
export class SubscriptionLoss {
  @IsIn(['channel', 'presence'])
  lost!: 'channel' | 'presence';

  @IsString()
  code!: string;

  @IsString()
  message!: string;
}
