import { Injectable } from '@nestjs/common';
import type { Observable, Subscription } from 'rxjs';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';

/** Observables of one connection that may be open at one time; one more is answered with SERVER_BUSY. */
export const MAX_STREAMS_PER_SESSION = 16;

interface StreamAnswers {
  next(value: unknown): void;
  /** The stream completed without a value. */
  empty(): void;
  error(exception: unknown): void;
}

/** Handlers that return an Observable: each value is a reply, until it completes or the connection closes. */
@Injectable()
export class ReplyStreams {
  private readonly open = new WeakMap<Session, Set<Subscription>>();

  /**
   * Resolves when the stream has given its first value or ended: from then on the connection's next message is
   * handled, for a stream may be endless.
   */
  follow(session: Session, stream: Observable<unknown>, answers: StreamAnswers): Promise<void> {
    const streams = this.open.get(session) ?? new Set();
    if (streams.size >= MAX_STREAMS_PER_SESSION) throw new GatehouseError('SERVER_BUSY');
    this.open.set(session, streams);

    return new Promise((resolve) => {
      let isAnswered = false;
      const settle = (): void => {
        isAnswered = true;
        resolve();
      };
      const subscription = stream.subscribe({
        next: (value) => {
          answers.next(value);
          settle();
        },
        error: (exception: unknown) => {
          answers.error(exception);
          settle();
        },
        complete: () => {
          if (!isAnswered) answers.empty();
          settle();
        },
      });
      if (subscription.closed) return;
      streams.add(subscription);
      subscription.add(() => streams.delete(subscription));
    });
  }

  /** The connection has closed: nobody is left to reply to. */
  endAll(session: Session): void {
    for (const subscription of this.open.get(session) ?? []) subscription.unsubscribe();
  }
}
