import { Length, Matches } from 'class-validator';

export class RoomName {
  @Matches(/^[\w-]{1,64}$/, { message: 'room must be 1 to 64 letters, digits, dashes or underscores' })
  room!: string;
}

export class ChatPost extends RoomName {
  @Length(1, 2_000)
  text!: string;
}
