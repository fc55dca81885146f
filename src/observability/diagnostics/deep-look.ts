import { Injectable } from '@nestjs/common';
import { ProblemError } from '../../server-api/http/problem.js';

/** Lets one at a time look deeply into the process: a profile would show the snapshot, and a second snapshot find no memory. */
@Injectable()
export class DeepLook {
  private isTaken = false;

  get isUnderWay(): boolean {
    return this.isTaken;
  }

  /**
   * @returns to be called, once or more, when the look is over
   * @throws ProblemError 409
   */
  begin(): () => void {
    if (this.isTaken) throw new ProblemError(409, 'A heap snapshot or processor profile is already in progress');
    this.isTaken = true;
    let isOver = false;
    return () => {
      if (!isOver) this.isTaken = false;
      isOver = true;
    };
  }
}
