import { IsString, Length } from 'class-validator';

/** The data of `greeting.send`. Data that does not fit gets the error VALIDATION_FAILED. */
export class GreetingSend {
  @IsString()
  @Length(1, 60)
  name!: string;
}
