import type { ChannelName } from '../ports/broker.js';
import type { NodeReport } from '../ports/node-registry.js';
import type { CountKind } from '../ports/shared-counts.js';

/** One incarnation of a worker, and what the engine keeps of it. */
export class HostNode {
  /** Undefined until the first report, and after it withdrew. */
  report: NodeReport | undefined;
  /** The channels in which it has entered sessions. */
  readonly channels = new Set<ChannelName>();
  readonly counts: Record<CountKind, Map<string, number>> = { user: new Map(), address: new Map() };
  /** Its lease has ended: it may write no more under this name. */
  isGivenUp = false;

  constructor(
    readonly incarnation: string,
    /** When it was heard last, on the performance.now() clock. */
    public heardAt: number,
  ) {}
}
