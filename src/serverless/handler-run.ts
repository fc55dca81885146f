import type { INestApplicationContext } from '@nestjs/common';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logs } from '../observability/logs/logs.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { ServerlessHost } from './host.js';
import { Invocation } from './invocation.js';
import { ConnectRoute } from './routes/connect-route.js';
import { DisconnectRoute } from './routes/disconnect-route.js';
import { isFanOutEvent, type FanOutEvent } from './routes/fan-out-event.js';
import { endpointOf, isGatewayEvent, type GatewayAnswer, type GatewayEvent } from './routes/gateway-event.js';
import { MessageRoute } from './routes/message-route.js';

/** The part of Lambda's context that the handler reads. */
export interface LambdaContext {
  readonly invokedFunctionArn?: string;
  getRemainingTimeInMillis?(): number;
}

/** API Gateway waits no longer for the answer to an event, whatever the timeout of the function. */
const GATEWAY_WAITS_MS = 29_000;
/** What is left for counting and answering when a handler takes too long. */
const MARGIN_MS = 1_000;

/** Serves the events of one process. It always answers: an error would be sent to the client by API Gateway. */
export class HandlerRun {
  private readonly connect: ConnectRoute;
  private readonly message: MessageRoute;
  private readonly disconnect: DisconnectRoute;
  /** Messages of one connection, which Lambda runs one at a time in a process. */
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(
    app: INestApplicationContext,
    private readonly host: ServerlessHost,
    private readonly logs: Logs,
  ) {
    this.connect = app.get(ConnectRoute);
    this.message = app.get(MessageRoute);
    this.disconnect = app.get(DisconnectRoute);
  }

  async serve(event: unknown, context: LambdaContext = {}): Promise<GatewayAnswer> {
    const answered = new AbortController();
    const invocation = this.invocationOf(event, context, answered.signal);
    try {
      return await invocation.run(() => this.answer(event, invocation));
    } finally {
      answered.abort();
      const { outcomes } = invocation;
      if (outcomes.areUnusual) this.logs.write('event_outcomes', () => ({ outcomes: outcomes.toJSON() }));
    }
  }

  private invocationOf(event: unknown, context: LambdaContext, signal: AbortSignal): Invocation {
    const onFailure = (where: string, err: unknown): void =>
      this.logs.write('event_failed', () => ({ where, err: err instanceof Error ? err : new Error(String(err)) }));
    const isGateway = isGatewayEvent(event);
    const endpoint = isGateway ? endpointOf(event) : isFanOutEvent(event) ? event.endpoint : '';
    const isConnect = isGateway && event.requestContext.eventType === 'CONNECT';
    const { invokedFunctionArn: functionName } = context;
    const remaining = context.getRemainingTimeInMillis?.() ?? Infinity;
    const outOfTime = passed(isGateway ? Math.min(remaining, GATEWAY_WAITS_MS) : remaining, signal);
    return new Invocation({ endpoint, functionName, isConnect, onFailure, outOfTime });
  }

  private async answer(event: unknown, invocation: Invocation): Promise<GatewayAnswer> {
    const { outcomes, options } = invocation;
    // If it throws, Lambda invokes the function once more; an answer would end it.
    if (isFanOutEvent(event)) return await this.fanOut(event);
    try {
      if (isGatewayEvent(event)) return await this.inTurn(event, invocation);
      outcomes.add('not_an_event');
      return { statusCode: 400, body: 'This is no event of a WebSocket API' };
    } catch (error) {
      if (error instanceof GatehouseError && error.code === 'SERVER_BUSY') return { statusCode: 503 };
      outcomes.add('failed');
      options.onFailure('an event', error);
      return { statusCode: 500 };
    }
  }

  private async fanOut(event: FanOutEvent): Promise<GatewayAnswer> {
    await this.host.fanOut.take(event);
    const invocation = Invocation.current;
    await invocation.inTime(invocation.settled());
    return { statusCode: 200 };
  }

  /** A process of Lambda serves one event at a time. Where events overlap, those of one connection take turns. */
  private inTurn(event: GatewayEvent, invocation: Invocation): Promise<GatewayAnswer> {
    const { connectionId } = event.requestContext;
    const previous = this.turns.get(connectionId) ?? Promise.resolve();
    const turn = previous.then(() => this.route(event, invocation));
    const done: Promise<unknown> = turn
      .catch(() => {})
      .finally(() => {
        if (this.turns.get(connectionId) === done) this.turns.delete(connectionId);
      });
    this.turns.set(connectionId, done);
    return turn;
  }

  private async route(event: GatewayEvent, invocation: Invocation): Promise<GatewayAnswer> {
    const answer = await this.routeOf(event).serve(event);
    await invocation.inTime(invocation.settled());
    return answer;
  }

  private routeOf({ requestContext: { eventType } }: GatewayEvent): ConnectRoute | MessageRoute | DisconnectRoute {
    if (eventType === 'MESSAGE') return this.message;
    return eventType === 'CONNECT' ? this.connect : this.disconnect;
  }
}

/** Undefined if there is no end. */
function passed(remaining: number, signal: AbortSignal): Promise<unknown> | undefined {
  if (!Number.isFinite(remaining)) return undefined;
  const end = wait(Math.max(0, remaining - MARGIN_MS), undefined, { signal, ref: false });
  // Aborted when the event has its answer.
  end.catch(() => {});
  return end;
}
