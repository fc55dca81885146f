import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StopSignals, type StopPlan, type Stoppable } from '../../src/stop-signals.js';

type Heard = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

class Exit extends Error {}

const ALONE = { isUnderNpm: false, isWorker: false };

describe('a signal', () => {
  let handlers: Map<string, () => void>;
  let exits: unknown[];
  let failures: unknown[];
  beforeEach(() => {
    vi.useFakeTimers();
    handlers = new Map();
    [exits, failures] = [[], []];
    vi.spyOn(process, 'on').mockImplementation((event, handler) => {
      handlers.set(String(event), handler as () => void);
      return process;
    });
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      exits.push(code);
      throw new Exit();
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** The process ends as soon as `exit` is called: nothing after it runs. */
  function signal(name: Heard): void {
    try {
      handlers.get(name)?.();
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
    }
  }

  function serverThatCloses(close: () => Promise<void> = async () => {}) {
    const causes: string[] = [];
    const server: Stoppable = { announce: (cause) => void causes.push(cause), close };
    return { server, causes };
  }

  function planOf(starting: Promise<Stoppable>, others: Partial<StopPlan> = {}): StopPlan {
    const fail = (error: unknown): never => {
      if (!(error instanceof Exit)) failures.push(error);
      return undefined as never;
    };
    return { starting, timeoutMs: 20_000, fail, ...others };
  }

  const forever = (): Promise<never> => new Promise(() => {});

  it.each<Heard>(['SIGTERM', 'SIGINT', 'SIGHUP'])('ends the process at once while it loads: %s', (name) => {
    void new StopSignals(ALONE);
    signal(name);
    expect(exits).toEqual([0]);
  });

  it('drains, says why, and ends with 0', async () => {
    const { server, causes } = serverThatCloses();
    new StopSignals(ALONE).follow(planOf(Promise.resolve(server)));
    signal('SIGTERM');
    await vi.advanceTimersByTimeAsync(0);
    expect({ causes, exits }).toEqual({ causes: ['SIGTERM'], exits: [0] });
  });

  it('waits for the end of a start, and then stops the server', async () => {
    const { server, causes } = serverThatCloses();
    let start = (_server: Stoppable): void => {};
    const starting = new Promise<Stoppable>((resolve) => (start = resolve));
    new StopSignals(ALONE).follow(planOf(starting));
    signal('SIGINT');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(exits).toEqual([]);
    start(server);
    await vi.advanceTimersByTimeAsync(0);
    expect({ causes, exits }).toEqual({ causes: ['SIGINT'], exits: [0] });
  });

  it('ends a start that hangs, and a drain that hangs, when the time is over', async () => {
    const abort = vi.fn();
    new StopSignals(ALONE).follow(planOf(forever(), { abort }));
    signal('SIGTERM');
    await vi.advanceTimersByTimeAsync(19_999);
    expect(exits).toEqual([]);
    await expect(vi.advanceTimersByTimeAsync(1)).rejects.toThrow(Exit);
    expect(exits).toEqual([0]);
    expect(abort).toHaveBeenCalledOnce();
  });

  it('ends the process at once with 1 if it is the second', () => {
    const abort = vi.fn();
    const { server } = serverThatCloses(forever);
    new StopSignals(ALONE).follow(planOf(Promise.resolve(server), { abort }));
    signal('SIGTERM');
    signal('SIGINT');
    expect(exits).toEqual([1]);
    expect(abort).toHaveBeenCalledOnce();
  });

  it('reports a drain that fails', async () => {
    const { server } = serverThatCloses(() => Promise.reject(new Error('a store that does not close')));
    new StopSignals(ALONE).follow(planOf(Promise.resolve(server)));
    signal('SIGTERM');
    await vi.advanceTimersByTimeAsync(0);
    expect(failures).toEqual([new Error('a store that does not close')]);
  });

  it('counts once under npm, which passes on a Ctrl-C of the terminal, and twice half a second later', async () => {
    const { server } = serverThatCloses(forever);
    new StopSignals({ ...ALONE, isUnderNpm: true }).follow(planOf(Promise.resolve(server)));
    signal('SIGINT');
    signal('SIGINT');
    expect(exits).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    signal('SIGINT');
    expect(exits).toEqual([1]);
  });

  it('is not needed if npm has ended', async () => {
    const parent = vi.spyOn(process, 'ppid', 'get').mockReturnValue(100);
    const { server, causes } = serverThatCloses();
    new StopSignals({ ...ALONE, isUnderNpm: true }).follow(planOf(Promise.resolve(server)));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(causes).toEqual([]);
    parent.mockReturnValue(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect({ causes, exits }).toEqual({ causes: ['npm has ended'], exits: [0] });
  });

  it('SIGHUP does what the plan has for it instead', () => {
    const hangUp = vi.fn();
    new StopSignals(ALONE).follow(planOf(forever(), { hangUp }));
    signal('SIGHUP');
    signal('SIGHUP');
    expect(hangUp).toHaveBeenCalledTimes(2);
    expect(exits).toEqual([]);
  });

  it('of a terminal does not end a worker, whose primary decides', async () => {
    const { server, causes } = serverThatCloses();
    const signals = new StopSignals({ isUnderNpm: true, isWorker: true });
    signals.follow(planOf(Promise.resolve(server)));
    signal('SIGINT');
    signal('SIGHUP');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(causes).toEqual([]);
    signals.request('a rolling restart');
    signals.request('the primary has ended');
    await vi.advanceTimersByTimeAsync(0);
    expect({ causes, exits }).toEqual({ causes: ['a rolling restart'], exits: [0] });
  });
});
