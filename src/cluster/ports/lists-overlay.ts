import type { BanStore } from './ban-store.js';
import type { RevocationStore } from './revocation-store.js';

/** A port: adds the orders of another server to those of the engine. May be absent. */
export abstract class ListsOverlay {
  abstract bans(store: BanStore): BanStore;
  abstract revocations(store: RevocationStore): RevocationStore;
}
