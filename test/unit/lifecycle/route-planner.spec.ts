import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeReport } from '../../../src/cluster/ports/node-registry.js';
import { RoutePlanner } from '../../../src/lifecycle/route-planner.js';
import { node, ScriptedRegistry } from './nodes.js';

/** How often each node is named, of so many askers of the same moment. */
function burst(planner: RoutePlanner, askers: number): Record<string, number> {
  const named: Record<string, number> = {};
  for (let asker = 0; asker < askers; asker += 1) {
    const { nodeId } = planner.next() ?? { nodeId: 'none' };
    named[nodeId] = (named[nodeId] ?? 0) + 1;
  }
  return named;
}

const plannerOf = (...nodes: NodeReport[]): RoutePlanner => new RoutePlanner(new ScriptedRegistry(nodes));

describe('RoutePlanner', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('spreads a burst evenly over nodes of equal load', () => {
    const named = burst(plannerOf(node('one'), node('two'), node('three')), 1_000);
    for (const name of ['one', 'two', 'three']) {
      expect(named[name]).toBeGreaterThan(313);
      expect(named[name]).toBeLessThan(353);
    }
  });

  it.each([
    ['sessions', { sessions: 8_000 }],
    ['processor time', { processor: 0.8 }],
    ['event-loop lag', { eventLoopLagMs: 400 }],
    ['waiting bytes', { bufferedBytes: 200_000_000 }],
  ])('names the node with less %s, until those on their way make up for it', (_what, load) => {
    const planner = plannerOf(node('busy', load), node('idle'));
    expect(burst(planner, 300)).toEqual({ idle: 300 });
    const later = burst(planner, 1_000);
    expect(later.busy).toBeGreaterThan(200);
    expect(later.idle).toBeGreaterThan(500);
  });

  it('forgets those on their way within seconds: by then they show in the report, or do not come', () => {
    const planner = plannerOf(node('busy', { processor: 0.5 }), node('idle'));
    burst(planner, 1_000);
    expect(burst(planner, 2).busy).toBeGreaterThan(0);
    vi.advanceTimersByTime(20_000);
    expect(burst(planner, 100)).toEqual({ idle: 100 });
  });

  it('never names a node that is full or does not take connections', () => {
    const full = node('full', { sessions: 100, maxSessions: 100 });
    const draining = node('draining', { isReady: false });
    expect(burst(plannerOf(full, draining, node('busy', { processor: 3 })), 1_000)).toEqual({ busy: 1_000 });
  });

  it('does not name a node more often than it has room, while another one has', () => {
    const nearlyFull = node('nearly full', { sessions: 95, maxSessions: 100 });
    const named = burst(plannerOf(nearlyFull, node('busy', { processor: 3 })), 100);
    expect(named).toEqual({ 'nearly full': 5, busy: 95 });
  });

  it('goes on to name the last ones when all would be full: some do not come', () => {
    expect(burst(plannerOf(node('small', { sessions: 95, maxSessions: 100 })), 50)).toEqual({ small: 50 });
  });

  it('takes a node without a limit as one of the usual size', () => {
    const endless = node('endless', { sessions: 40_000, maxSessions: 0 });
    expect(burst(plannerOf(endless, node('empty')), 100)).toEqual({ empty: 100 });
  });

  it('names nobody where nobody takes connections', () => {
    expect(plannerOf().next()).toBeUndefined();
    expect(plannerOf(node('draining', { isReady: false })).next()).toBeUndefined();
  });

  it('follows what the nodes report', () => {
    const registry = new ScriptedRegistry([node('one')]);
    const planner = new RoutePlanner(registry);
    expect(planner.next()?.nodeId).toBe('one');
    registry.nodes = [node('one', { isReady: false }), node('two')];
    expect(planner.next()?.nodeId).toBe('two');
  });
});
