import { recordOf } from '../redis/lists/json-record.js';
import { identityOf } from './node-identity.js';
import type { NodeLoad, NodeReport } from './node-registry.js';

const TEXTS: readonly (keyof NodeReport)[] = ['url', 'version'];
const MEASURES: readonly (keyof NodeLoad)[] = [
  'sessions',
  'maxSessions',
  'eventLoopLagMs',
  'bufferedBytes',
  'processor',
];

/**
 * Reads the report of a node from Redis. Returns undefined if it is malformed.
 *
 * @param incarnation of the node that reported
 */
export function reportOf(text: string, incarnation: string): NodeReport | undefined {
  const report = recordOf(text);
  if (report?.incarnation !== incarnation || report.nodeId !== identityOf(incarnation).nodeId) return undefined;
  const { startedAt, isReady, load } = report;
  const isComplete =
    TEXTS.every((name) => typeof report[name] === 'string') &&
    Number.isFinite(startedAt) &&
    typeof isReady === 'boolean';
  return isComplete && isLoad(load) ? (report as unknown as NodeReport) : undefined;
}

function isLoad(load: unknown): load is NodeLoad {
  if (typeof load !== 'object' || load === null) return false;
  const measured = load as Record<string, unknown>;
  return MEASURES.every((name) => Number.isFinite(measured[name]));
}
