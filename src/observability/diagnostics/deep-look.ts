import { Injectable } from '@nestjs/common';
import { DiagnosticsRefusal } from './diagnostics-refusal.js';

/**
 * Allows one snapshot or profile at a time: a profile would show the snapshot, and a second snapshot would find no
 * memory.
 */
@Injectable()
export class DeepLook {
  private isTaken = false;

  get isUnderWay(): boolean {
    return this.isTaken;
  }

  /**
   * @returns call it when done; further calls have no effect
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
