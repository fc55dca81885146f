import { Injectable } from '@nestjs/common';
import { LocalReceivers } from '../../broadcast/local-receivers.js';

/** Every receiver is found in the tables, also the session whose message is being handled. */
@Injectable()
export class NoLocalReceivers extends LocalReceivers {
  override has(): boolean {
    return false;
  }

  override hasNone(): boolean {
    return true;
  }

  override visit(): void {}
}
