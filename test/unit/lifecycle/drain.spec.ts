import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { NodeReport } from '../../../src/cluster/ports/node-registry.js';
import { Drain } from '../../../src/lifecycle/drain.js';
import type { LifecycleSettings } from '../../../src/lifecycle/lifecycle-settings.js';
import type { NodeReporter } from '../../../src/lifecycle/node-reporter.js';
import { ServerState } from '../../../src/lifecycle/server-state.js';
import type { SessionRegistry } from '../../../src/sessions/session-registry.js';
import { node, ScriptedRegistry } from './nodes.js';

afterEach(() => vi.restoreAllMocks());

describe('a drain', () => {
  it('lets everybody go, within the least window, where the other nodes tell nonsense', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
    const sessions = new Set<object>();
    const goodbyes: string[] = [];
    const session = {
      closeWhenAnswered: (_why: string, reason: string) => {
        goodbyes.push(reason);
        sessions.delete(session);
      },
    };
    sessions.add(session);
    const nonsense = { ...node('other'), load: undefined } as unknown as NodeReport;
    const state = new ServerState();
    const drain = new Drain(
      { lifecycle: { drainTimeoutMs: 1_000, reconnectWindowMs: 5_000 } } as LifecycleSettings,
      new ScriptedRegistry([nonsense]),
      sessions as unknown as SessionRegistry,
      state,
      { report: async () => {} } as NodeReporter,
    );
    expect(drain.begin()).toMatchObject({ leaving: 1, reconnectWindowMs: 5_000 });
    await drain.complete();
    expect([goodbyes, state.phase, warn.mock.calls.length]).toEqual([['5000'], 'draining', 1]);
  });
});
