import { IsInt, Length, Matches, Min } from 'class-validator';

export class RoomName {
  @Matches(/^[\w-]{1,64}$/, { message: 'room must be 1 to 64 letters, digits, dashes or underscores' })
  room!: string;
}

export class ChatPost extends RoomName {
  @Length(1, 2_000)
  text!: string;
}

export class ChatJoined {
  /** Members of the room, with the one that joined. */
  @IsInt()
  @Min(1)
  members!: number;
}

export class ChatReceivers {
  @IsInt()
  @Min(0)
  receivers!: number;
}
