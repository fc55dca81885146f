import { Injectable } from '@nestjs/common';
import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';

/** Observables of one connection that may be open at one time. The next one gets SERVER_BUSY. */
export const MAX_STREAMS_PER_SESSION = 16;

interface StreamAnswers {
  next(value: unknown): void;
  /** The stream completed without a value. */
  empty(): void;
  /** Returns a promise if the reply takes time. */
  error(exception: unknown): Promise<void> | undefined;
  /** The cleanup of the stream threw. */
  crashed(exception: unknown): void;
}

/** Handlers that return an Observable: each value is a reply, until it completes or the connection closes. */
@Injectable()
export class ReplyStreams {
  private readonly open = new WeakMap<Session, Map<Subscription, StreamAnswers>>();

  /**
   * Resolves when the stream has given its first value or ended. The connection's next message is then handled, because
   * a stream may never end.
   */
  follow(session: Session, stream: Observable<unknown>, answers: StreamAnswers): Promise<void> {
    // The session may have ended before the handler returned, and nothing would ever end the stream.
    if (!session.connection.isServed) return Promise.resolve();
    const streams = this.open.get(session) ?? new Map<Subscription, StreamAnswers>();
    this.open.set(session, streams);
    const source = streams.size < MAX_STREAMS_PER_SESSION ? stream : endingAtOnce(stream);

    return new Promise((resolve) => {
      let isAnswered = false;
      const settle = (): void => {
        isAnswered = true;
        resolve();
      };
      const observer: Observer<unknown> = {
        next: (value) => {
          answers.next(value);
          settle();
        },
        error: (exception: unknown) => void Promise.resolve(answers.error(exception)).then(settle),
        complete: () => {
          if (!isAnswered) answers.empty();
          settle();
        },
      };
      const subscription = source.subscribe(new StreamSubscriber(observer, (exception) => answers.crashed(exception)));
      if (subscription.closed) return;
      streams.set(subscription, answers);
      subscription.add(() => streams.delete(subscription));
    });
  }

  /** Resolves when the streams of a session that are open now have ended. */
  async ended(session: Session): Promise<void> {
    const streams = [...(this.open.get(session)?.keys() ?? [])];
    await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.add(() => resolve()))));
  }

  /** The connection has closed, so nobody is left to reply to. */
  endAll(session: Session): void {
    for (const [subscription, answers] of this.open.get(session) ?? []) {
      try {
        subscription.unsubscribe();
      } catch (exception) {
        answers.crashed(exception);
      }
    }
  }
}

/**
 * A stream that ends by itself runs its cleanup in the turn of the cause, such as a timer. An error in its teardown or
 * `finalize` would end the process.
 */
class StreamSubscriber extends Subscriber<unknown> {
  constructor(
    observer: Observer<unknown>,
    private readonly crashed: (exception: unknown) => void,
  ) {
    super(observer);
  }

  override unsubscribe(): void {
    try {
      super.unsubscribe();
    } catch (exception) {
      this.crashed(exception);
    }
  }
}

/**
 * Passes on a stream that completes with its first value, such as a plain value behind interceptors. A stream that
 * would stay open fails instead.
 */
function endingAtOnce(stream: Observable<unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    const values: unknown[] = [];
    return stream.subscribe({
      next: (value) => {
        if (values.push(value) > 1) return;
        queueMicrotask(() => subscriber.error(new GatehouseError('SERVER_BUSY')));
      },
      error: (exception: unknown) => subscriber.error(exception),
      complete: () => {
        for (const value of values) subscriber.next(value);
        subscriber.complete();
      },
    });
  });
}
