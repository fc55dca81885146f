import type { OnApplicationShutdown } from '@nestjs/common';
import type { Hooks } from '../../config/hooks.js';
import { HookClient, type HookAnswer, type HookRequest } from './hook-client.js';
import type { HookDecision, HookEvents, HookOutcome } from './hook-events.js';
import { HookFailure } from './hook-failure.js';
import type { Traces } from '../protocol/traces.js';

/** The back ends of the hooks file. */
export class HookClients implements OnApplicationShutdown {
  private constructor(
    private readonly clients: ReadonlyMap<string, HookClient>,
    private readonly events: HookEvents,
    private readonly traces: Traces | undefined,
  ) {}

  static async open({ endpoints }: Hooks, events: HookEvents, traces?: Traces): Promise<HookClients> {
    const clients = new Map<string, HookClient>();
    for (const endpoint of endpoints.values()) clients.set(endpoint.name, await HookClient.open(endpoint));
    return new HookClients(clients, events, traces);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  /** For the audit log. */
  decided(decision: HookDecision): void {
    this.events.emit('decided', decision);
  }

  /**
   * Asks or tells a back end.
   *
   * @param read turns the answer into what the caller needs; throws if its shape is wrong
   * @throws HookFailure
   */
  async post<T extends { readonly denied?: unknown }>(
    endpoint: string,
    request: Omit<HookRequest, 'trace'>,
    read: (answer: HookAnswer) => T,
  ): Promise<T> {
    const client = this.clients.get(endpoint);
    // The hooks file names no endpoint that it does not define.
    if (client === undefined) throw new Error(`There is no hook endpoint ${endpoint}`);
    const startedAt = performance.now();
    const ended = (outcome: HookOutcome): void =>
      void this.events.emit('ended', request.type, outcome, performance.now() - startedAt);
    try {
      const result = readAnswer(endpoint, await client.post({ ...request, trace: this.traces?.present() }), read);
      ended(result.denied === undefined ? 'ok' : 'denied');
      return result;
    } catch (error) {
      if (!(error instanceof HookFailure)) throw error;
      ended(error.reason);
      this.events.emit('failed', request.type, error);
      throw error;
    }
  }
}

function readAnswer<T>(endpoint: string, answer: HookAnswer, read: (answer: HookAnswer) => T): T {
  try {
    return read(answer);
  } catch (error) {
    throw new HookFailure(endpoint, 'bad_answer', (error as Error).message);
  }
}
