import { Type } from 'class-transformer';
import { IsDefined, IsInt, IsString, Length, Min, ValidateNested } from 'class-validator';

export class SendMessage {
  @IsString()
  @Length(1, 256)
  targetUserId!: string;

  /** Any value; it reaches the target unchanged. */
  @IsDefined()
  message!: unknown;
}

class MessageSender {
  @IsString()
  userId!: string;

  @IsString()
  sessionId!: string;
}

export class DirectMessage {
  /** The session that sent it. */
  @ValidateNested()
  @Type(() => MessageSender)
  from!: MessageSender;

  @IsDefined()
  message!: unknown;
}

export class SendResult {
  /** Sessions that took the message, over all nodes. */
  @IsInt()
  @Min(0)
  sessions!: number;
}
