import { absent } from '../engine/absent-stores.js';

/** In place of StateRequests: the gateway of state answers FORBIDDEN. */
export class AbsentStateRequests {
  demandChange(): never {
    throw absent('state channels');
  }

  nextPage(): never {
    throw absent('state channels');
  }

  look(): never {
    throw absent('state channels');
  }

  nextCells(): never {
    throw absent('state channels');
  }

  bytesIn(): number {
    return 0;
  }
}
