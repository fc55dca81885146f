import { Module } from '@nestjs/common';
import { Length } from 'class-validator';

/** What members publish: channels.yaml names this class, and the server validates by it. */
export class ChatLine {
  @Length(1, 2_000)
  text!: string;
}

@Module({ providers: [] })
export default class ChatModule {}
