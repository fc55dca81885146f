import type { NodeBus } from '../../cluster/ports/node-bus.js';
import type { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ProblemError } from '../http/problem.js';

/** The services that an order for another node needs. */
interface Ways {
  readonly bus: NodeBus;
  readonly registry: NodeRegistry;
}

/** One kind of order, for one node. */
interface Order {
  readonly nodeId: string;
  readonly kind: string;
  readonly payload: unknown;
}

/**
 * Has another node carry out an order.
 *
 * @throws ProblemError 404; GatehouseError SERVER_BUSY if Redis cannot be reached; TIMEOUT if the node does not
 *   answer: it may still carry out the order, also later
 */
export async function orderOf<T>({ bus, registry }: Ways, { nodeId, kind, payload }: Order): Promise<T> {
  if (!registry.nodes.some((node) => node.nodeId === nodeId)) throw new ProblemError(404, 'No such node');
  demandWay(bus);
  const { received } = await bus.ask<T>(kind, payload, { nodes: [nodeId] });
  const answer = received.get(nodeId);
  if (answer !== undefined) return answer;
  demandWay(bus);
  throw new GatehouseError('TIMEOUT', { message: 'The node did not answer. It may carry out the request or not' });
}

function demandWay({ isConnected }: NodeBus): void {
  if (!isConnected) throw new GatehouseError('SERVER_BUSY', { message: 'Redis cannot be reached', retryAfter: 1_000 });
}
