import { Injectable } from '@nestjs/common';
import { NodeRegistry, type NodeLoad, type NodeReport } from '../cluster/ports/node-registry.js';
import { UPGRADES_A_SECOND } from './reconnect-window.js';

/** The capacity that is assumed for a node without a limit. */
const USUAL_MAX_SESSIONS = 50_000;
/** Values of lag and waiting bytes that weigh as much as a full processor; the defaults of the overload limits. */
const MUCH_LAG_MS = 500;
const MUCH_BUFFERED_BYTES = 268_435_456;
/**
 * A routed client counts half after this long: it has come by then and shows in the node's report, or does not come.
 */
const HALF_LIFE_MS = 2_000;

interface Sent {
  /** Clients, as of `at`. */
  readonly count: number;
  readonly at: number;
}

/**
 * The load of a node: the sum of its shares of sessions, processor, lag and waiting bytes. A sum and not the maximum,
 * so that of two nodes with equally busy processors the emptier one is chosen. A routed client counts as a session, and
 * as the processor time of its upgrade.
 *
 * @param onTheWay clients that were sent there and are not in its report yet
 */
export function loadScore(load: NodeLoad, onTheWay: number): number {
  return (
    (load.sessions + onTheWay) / (load.maxSessions || USUAL_MAX_SESSIONS) +
    load.processor +
    onTheWay / UPGRADES_A_SECOND +
    load.eventLoopLagMs / MUCH_LAG_MS +
    load.bufferedBytes / MUCH_BUFFERED_BYTES
  );
}

/**
 * Chooses the node for the next client: the less loaded of two random ready nodes. If the least loaded of all were
 * chosen, every node would send all clients of the same second there.
 */
@Injectable()
export class RoutePlanner {
  private readonly sent = new Map<string, Sent>();

  constructor(private readonly registry: NodeRegistry) {}

  /** Undefined if no node accepts clients. */
  next(): NodeReport | undefined {
    const now = performance.now();
    const ready = this.registry.nodes.filter((node) => node.isReady && hasRoom(node, 0));
    const withRoom = ready.filter((node) => hasRoom(node, this.onTheWay(node, now)));
    // If the routed clients would fill all nodes, some of them may not come.
    const node = this.lessLoaded(withRoom.length > 0 ? withRoom : ready, now);
    if (node === undefined) return undefined;
    this.forgetGone();
    this.sent.set(node.nodeId, { count: this.onTheWay(node, now) + 1, at: now });
    return node;
  }

  private lessLoaded(candidates: readonly NodeReport[], now: number): NodeReport | undefined {
    const first = Math.floor(Math.random() * candidates.length);
    // Any other node: its index is one to all but one places further.
    const second = (first + 1 + Math.floor(Math.random() * (candidates.length - 1))) % candidates.length;
    const [one, other] = [candidates[first], candidates[second]];
    if (one === undefined || other === undefined) return one;
    return this.score(other, now) < this.score(one, now) ? other : one;
  }

  private score(node: NodeReport, now: number): number {
    return loadScore(node.load, this.onTheWay(node, now));
  }

  private onTheWay({ nodeId }: NodeReport, now: number): number {
    const sent = this.sent.get(nodeId);
    return sent === undefined ? 0 : sent.count * 0.5 ** ((now - sent.at) / HALF_LIFE_MS);
  }

  private forgetGone(): void {
    if (this.sent.size <= this.registry.nodes.length) return;
    const present = new Set(this.registry.nodes.map(({ nodeId }) => nodeId));
    for (const nodeId of this.sent.keys()) if (!present.has(nodeId)) this.sent.delete(nodeId);
  }
}

function hasRoom({ load }: NodeReport, onTheWay: number): boolean {
  return load.maxSessions === 0 || load.sessions + onTheWay < load.maxSessions;
}
