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
    const invocation = this.invocationOf(event, context);
    const answer = await invocation.run(() => this.answer(event, invocation, context));
    const { outcomes } = invocation;
    if (outcomes.areUnusual) this.logs.write('event_outcomes', () => ({ outcomes: outcomes.toJSON() }));
    return answer;
  }

  private invocationOf(event: unknown, { invokedFunctionArn: functionName }: LambdaContext): Invocation {
    const onFailure = (where: string, err: unknown): void =>
      this.logs.write('event_failed', () => ({ where, err: err instanceof Error ? err : new Error(String(err)) }));
    const isGateway = isGatewayEvent(event);
    const endpoint = isGateway ? endpointOf(event) : isFanOutEvent(event) ? event.endpoint : '';
    const isConnect = isGateway && event.requestContext.eventType === 'CONNECT';
    return new Invocation({ endpoint, functionName, isConnect, onFailure });
  }

  private async answer(event: unknown, invocation: Invocation, context: LambdaContext): Promise<GatewayAnswer> {
    const { outcomes, options } = invocation;
    // If it throws, Lambda invokes the function once more; an answer would end it.
    if (isFanOutEvent(event)) return await this.fanOut(event);
    try {
      if (isGatewayEvent(event)) return await this.inTurn(event, invocation, context);
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
    await Invocation.current.settled();
    return { statusCode: 200 };
  }

  /** A process of Lambda serves one event at a time. Where events overlap, those of one connection take turns. */
  private inTurn(event: GatewayEvent, invocation: Invocation, context: LambdaContext): Promise<GatewayAnswer> {
    const { connectionId } = event.requestContext;
    const previous = this.turns.get(connectionId) ?? Promise.resolve();
    const turn = previous.then(() => this.route(event, invocation, context));
    const done: Promise<unknown> = turn
      .catch(() => {})
      .finally(() => {
        if (this.turns.get(connectionId) === done) this.turns.delete(connectionId);
      });
    this.turns.set(connectionId, done);
    return turn;
  }

  private async route(event: GatewayEvent, invocation: Invocation, context: LambdaContext): Promise<GatewayAnswer> {
    const { eventType } = event.requestContext;
    const answer =
      eventType === 'MESSAGE'
        ? await this.serveMessage(event, context)
        : await (eventType === 'CONNECT' ? this.connect.serve(event) : this.disconnect.serve(event));
    // What is left after a message that ran out of time is not waited for.
    if (invocation.outcomes.of('out_of_time') === 0) await invocation.settled();
    return answer;
  }

  private async serveMessage(event: GatewayEvent, context: LambdaContext): Promise<GatewayAnswer> {
    const remaining = context.getRemainingTimeInMillis?.();
    if (remaining === undefined) return this.message.serve(event, new Promise(() => {}));
    const ended = new AbortController();
    const outOfTime = wait(Math.max(0, remaining - MARGIN_MS), undefined, { signal: ended.signal, ref: false });
    // Aborted when the message is done.
    outOfTime.catch(() => {});
    try {
      return await this.message.serve(event, outOfTime);
    } finally {
      ended.abort();
    }
  }
}
