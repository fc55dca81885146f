import type { AwsClients } from '../aws/aws-clients.js';
import { isBusy, nameOfError } from '../aws/aws-error.js';
import { Invocation } from '../invocation.js';

/** `gone`: the connection is closed. `lost`: API Gateway refused the post for its rate for too long, or failed. */
export type Posted = 'posted' | 'gone' | 'lost';

export interface PosterOptions {
  readonly clients: AwsClients;
  /** Waits before the next try. */
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Called for every connection that is found closed. */
  readonly onGone: (connectionId: string) => Promise<void>;
}

/** Tries of one post. With the longest waits, that is about six seconds. */
const TRIES = 8;
/** Tries of a post that gets no answer. More would take as long as a function may run. */
const UNANSWERED_TRIES = 3;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

/** Posts to connections. Decides by the name of the error, and never rejects for what a client or the rate can cause. */
export class Poster {
  constructor(private readonly options: PosterOptions) {}

  async post(connectionId: string, payload: Uint8Array): Promise<Posted> {
    const { outcomes } = Invocation.current;
    let unanswered = 0;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (attempt > 0) await this.backOff(attempt);
      const failure = await this.failureOf(connectionId, payload);
      if (failure === undefined) {
        outcomes.add('posted');
        return 'posted';
      }
      const name = nameOfError(failure);
      if (name === 'GoneException') return this.gone(connectionId);
      // An id that API Gateway has never given out, such as one that a client has made up.
      if (name === 'BadRequestException') return 'gone';
      if (!isBusy(failure)) return this.lost(failure);
      if (name !== 'TimeoutError') {
        outcomes.add('post_throttled');
        continue;
      }
      outcomes.add('post_unanswered');
      unanswered += 1;
      if (unanswered === UNANSWERED_TRIES) break;
    }
    outcomes.add('post_lost');
    return 'lost';
  }

  /** Ends a connection. One that is closed already is no failure. */
  async disconnect(connectionId: string): Promise<void> {
    const { endpoint } = Invocation.current.options;
    const { DeleteConnectionCommand } = await import('@aws-sdk/client-apigatewaymanagementapi');
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (attempt > 0) await this.backOff(attempt);
      try {
        const client = await this.options.clients.gateway(endpoint);
        await client.send(new DeleteConnectionCommand({ ConnectionId: connectionId }));
        return;
      } catch (error) {
        if (nameOfError(error) === 'GoneException') return;
        if (!isBusy(error)) throw error;
      }
    }
    Invocation.current.outcomes.add('close_lost');
  }

  private async failureOf(connectionId: string, payload: Uint8Array): Promise<unknown> {
    const { PostToConnectionCommand } = await import('@aws-sdk/client-apigatewaymanagementapi');
    const client = await this.options.clients.gateway(Invocation.current.options.endpoint);
    try {
      await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: payload }));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Random, so that the posts of many invocations do not come back together. */
  private backOff(attempt: number): Promise<unknown> {
    return this.options.sleep(Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt));
  }

  private async gone(connectionId: string): Promise<Posted> {
    Invocation.current.outcomes.add('gone');
    // What is left of its rows is found by the next post. The other receivers go on.
    await this.options.onGone(connectionId).catch((error: unknown) => {
      Invocation.current.outcomes.add('rows_left');
      Invocation.current.options.onFailure('a departure', error);
    });
    return 'gone';
  }

  private lost(error: unknown): Posted {
    const { outcomes, options } = Invocation.current;
    outcomes.add('post_lost');
    options.onFailure('a post', error);
    return 'lost';
  }
}
