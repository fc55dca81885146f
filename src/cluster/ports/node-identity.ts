import { randomBytes } from 'node:crypto';
import type { NodeIdentity } from './node-registry.js';

const MARK = '#';

/** Begins a new incarnation of the node with this SERVER_ID. */
export function newIdentity(nodeId: string): NodeIdentity {
  return { nodeId, incarnation: `${nodeId}${MARK}${randomBytes(6).toString('base64url')}` };
}

/** The identity that an incarnation names. */
export function identityOf(incarnation: string): NodeIdentity {
  return { nodeId: incarnation.slice(0, incarnation.lastIndexOf(MARK)), incarnation };
}
