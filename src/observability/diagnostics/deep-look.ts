import { Injectable } from '@nestjs/common';
import { DiagnosticsRefusal } from './diagnostics-refusal.js';

/** Lets one at a time look deeply into the process: a profile would show the snapshot, and a second snapshot find no memory. */
@Injectable()
export class DeepLook {
  private isTaken = false;

  get isUnderWay(): boolean {
    return this.isTaken;
  }

  /**
   * @returns to be called, once or more, when the look is over
   * @throws DiagnosticsRefusal `under_way`
   */
  begin(): () => void {
    if (this.isTaken)
      throw new DiagnosticsRefusal('under_way', 'A heap snapshot or processor profile is already in progress');
    this.isTaken = true;
    let isOver = false;
    return () => {
      if (!isOver) this.isTaken = false;
      isOver = true;
    };
  }
}
