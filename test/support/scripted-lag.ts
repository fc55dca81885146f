import { once } from 'node:events';
import type { EventLoopMeter, ProcessSample } from '../../src/lifecycle/event-loop-meter.js';
import { LoadMeter } from '../../src/lifecycle/load-meter.js';
import type { TestServer } from './test-server.js';

/** What a server measures of its event loop is what the test says: that of a starved machine is late by itself. */
export class ScriptedLag {
  lagMs = 0;
  private readonly meter: LoadMeter;

  constructor({ app }: TestServer) {
    this.meter = app.get(LoadMeter, { strict: false });
    const measuring = Reflect.get(this.meter, 'meter') as EventLoopMeter;
    measuring.stop();
    const sample = (): ProcessSample => ({ ...measuring.sample(), lagMs: this.lagMs });
    Reflect.set(this.meter, 'meter', { sample, stop: () => {}, delays: measuring.delays });
  }

  /** Resolves when the lag was taken in. */
  async is(lagMs: number): Promise<void> {
    this.lagMs = lagMs;
    await once(this.meter, 'measured');
  }
}
