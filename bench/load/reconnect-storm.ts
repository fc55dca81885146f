import { setTimeout as pause } from 'node:timers/promises';
import { startProcessorWindow } from '../harness/processor-time.js';
import { dialects } from './dialects.js';
import { HonestProcess } from './honest-process.js';
import { runLoad, type LoadReport, type Server } from './job.js';
import { settled } from './publisher.js';
import { RawClient, type Endpoint } from './raw-client.js';
import { signToken } from './token.js';

export interface ReconnectStormJob {
  readonly server: Server;
  /** How many lose their connection and come back. */
  readonly clients: number;
  /** Those that stay connected and ask for an echo all the time. */
  readonly honestClients: number;
  readonly messagesPerSecond: number;
  /** Before the storm, and how long the quiet window is. */
  readonly settleMs: number;
  /** Until all are back. */
  readonly limitMs: number;
}

const sourceAddresses = 16;
/** A connection that a server refuses at once does not count. */
const mustLastMs = 500;
const firstInFlight = 32;
const retryMs = { least: 200, spread: 800 };

async function reconnectStorm(job: ReconnectStormJob): Promise<LoadReport> {
  const { server, clients, settleMs } = job;
  using honest = await HonestProcess.start({ ...job, clients: job.honestClients });
  const crowd = new Crowd(job);
  await crowd.connectInTurn();
  await crowd.lose();
  await pause(settleMs);
  await honest.figures();
  await pause(settleMs);
  const before = await honest.figures();

  await longestTurnMs(server);
  const endWindow = startProcessorWindow(server.pid);
  const seconds = await crowd.connectAtOnce();
  const use = endWindow();
  const during = await honest.figures();
  const turn = await longestTurnMs(server);
  return {
    readings: [
      { measure: 'seconds until all are connected', value: seconds, perSecond: clients / seconds, use },
      { measure: 'processor µs per connection', value: use.microseconds / clients },
      ...(turn === null ? [] : [{ measure: 'longest turn of the event loop in ms', value: turn }]),
      { measure: 'p99 echo of existing clients in ms, before', value: before.p99 },
      { measure: 'p99 echo of existing clients in ms, during', value: during.p99 },
      { measure: 'errors of existing clients, during', value: during.errors },
      { measure: 'attempts that were refused or cut off', value: crowd.failed },
    ],
    remarks: [],
    invalid: crowd.connected === clients ? null : `${crowd.connected} of ${clients} clients came back in time`,
  };
}

/** All clients of the storm. One whose connection fails tries again. */
class Crowd {
  connected = 0;
  failed = 0;
  private readonly endpoints: readonly Endpoint[];
  private open: RawClient[] = [];
  private isStorming = false;
  private reachedAllAt = 0;

  constructor(private readonly job: ReconnectStormJob) {
    this.endpoints = endpointsOf(job);
  }

  async connectInTurn(): Promise<void> {
    let next = 0;
    const openOneAfterAnother = async (): Promise<void> => {
      while (next < this.endpoints.length) {
        const endpoint = this.endpoints[next++];
        if (endpoint) this.open.push(await RawClient.open(endpoint));
      }
    };
    await Promise.all(Array.from({ length: firstInFlight }, openOneAfterAnother));
  }

  async lose(): Promise<void> {
    for (const client of this.open) client.destroy();
    await settled(() => this.open.every((client) => client.closed), this.job.limitMs);
    this.open = [];
  }

  /** Returns the seconds until all were connected. The tokens are signed before, and each is used once. */
  async connectAtOnce(): Promise<number> {
    const endpoints = endpointsOf(this.job);
    const started = performance.now();
    this.isStorming = true;
    for (const endpoint of endpoints) void this.keepTrying(endpoint);
    await settled(() => this.hasLasted(), this.job.limitMs);
    this.isStorming = false;
    return (this.reachedAllAt - started) / 1_000;
  }

  private async keepTrying(endpoint: Endpoint): Promise<void> {
    try {
      const client = await RawClient.open({ ...endpoint, deadlineMs: this.job.limitMs });
      client.onClosed = () => this.retry(endpoint, 1);
      this.open.push(client);
      this.connected += 1;
      if (this.connected === this.job.clients) this.reachedAllAt = performance.now();
    } catch {
      this.retry(endpoint, 0); // refused or cut off, which `failed` counts
    }
  }

  private retry(endpoint: Endpoint, lost: number): void {
    this.connected -= lost;
    if (!this.isStorming) return;
    this.failed += 1;
    setTimeout(() => void this.keepTrying(endpoint), retryMs.least + Math.random() * retryMs.spread);
  }

  private hasLasted(): boolean {
    return this.connected === this.job.clients && performance.now() - this.reachedAllAt >= mustLastMs;
  }
}

function endpointsOf({ server, clients }: ReconnectStormJob): Endpoint[] {
  const dialect = dialects[server.dialect];
  return Array.from({ length: clients }, (_, index) => ({
    port: server.port,
    dialect,
    token: dialect.authenticated ? signToken(server.tokenKey, `user-${index}`, ['MEMBER']) : null,
    localAddress: `127.0.0.${1 + (index % sourceAddresses)}`,
  }));
}

/** Since the last call; null where the server has no monitor. */
async function longestTurnMs({ loopMonitorPort }: Server): Promise<number | null> {
  if (loopMonitorPort === null) return null;
  const answer = await fetch(`http://127.0.0.1:${loopMonitorPort}/`);
  const { longestMs } = (await answer.json()) as { longestMs: number };
  return longestMs;
}

await runLoad(reconnectStorm);
