import { IsDefined, IsString, Length } from 'class-validator';

export class SendMessage {
  @IsString()
  @Length(1, 256)
  targetUserId!: string;

  /** Any value: it reaches the target as it is. */
  @IsDefined()
  message!: unknown;
}
