import type { StateRequests } from '../../channels/state/state-requests.js';
import { absent } from '../engine/absent-stores.js';

/** In place of StateRequests: every message about state gets FORBIDDEN. */
export class AbsentStateRequests implements Pick<StateRequests, keyof StateRequests> {
  demandChange(): never {
    throw absent('state channels');
  }

  set(): never {
    throw absent('state channels');
  }

  remove(): never {
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
