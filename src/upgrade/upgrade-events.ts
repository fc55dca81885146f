import { EventEmitter } from 'node:events';
import type { RefusalReason } from './refusals.js';

interface UpgradeEventMap {
  refused: [reason: RefusalReason, address: string];
}

/** What the upgrade turns away, for observers. Listeners must not throw. */
export class UpgradeEvents extends EventEmitter<UpgradeEventMap> {}
