import type { Type } from '@nestjs/common';
import type { Observable } from 'rxjs';

/** What a message carries: an object of a message class, or a list of them, as `[ChatMessage]`. */
export type DeclaredType<T = unknown> = Type<T> | readonly [Type<T>];

/** The instance type of a `DeclaredType`. */
export type ValueOf<D> = D extends readonly [Type<infer Item>] ? Item[] : D extends Type<infer T> ? T : never;

/** What a handler may return in order to be answered with T: the value, a promise of it, or a stream of such values. */
export type Answer<T> = T | PromiseLike<T> | Observable<T> | PromiseLike<Observable<T>>;
