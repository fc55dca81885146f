import { IsString, Length } from 'class-validator';

/** The data of `greeting.send`. Data that does not fit gets the error VALIDATION_FAILED. */
export class GreetingSend {
  @IsString()
  @Length(1, 60)
  name!: string;
}

/** The data of the reply, `greeting.send_reply`. */
export class GreetingReply {
  @IsString()
  text!: string;
}

/** The data of `greeting.sent`, which the other clients get. */
export class GreetingSent {
  @IsString()
  name!: string;
}
