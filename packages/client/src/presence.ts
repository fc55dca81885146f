import { isObject } from './incoming.js';

export interface Member {
  readonly userId: string;
}

/** Who is in a channel, by user: a list that is asked for, and the joins and leaves after it. */
export class Members {
  private readonly _byUser = new Map<string, Member>();
  /** Events that arrive before the list. */
  private _early: unknown[] | undefined = [];

  /** A new list has been asked for. */
  start(): void {
    this._early = [];
  }

  /** @returns undefined if the reply has not the right shape */
  onList(data: unknown): readonly Member[] | undefined {
    if (!isObject(data) || !Array.isArray(data.members)) return undefined;
    const { _early: early = [] } = this;
    this._early = undefined;
    this._byUser.clear();
    for (const member of data.members) this.onEvent({ member });
    for (const event of early) this.onEvent(event);
    return this.list();
  }

  /** @returns the members, if they are known and have changed */
  onEvent(data: unknown): readonly Member[] | undefined {
    if (!isObject(data) || !isMember(data.member)) return undefined;
    const { userId } = data.member;
    if (this._early) this._early.push(data);
    else if (data.event === 'leave') this._byUser.delete(userId);
    else this._byUser.set(userId, { userId });
    return this.list();
  }

  /** Undefined while nobody has told. */
  list(): readonly Member[] | undefined {
    return this._early ? undefined : [...this._byUser.values()];
  }
}

function isMember(value: unknown): value is Member {
  return isObject(value) && typeof value.userId === 'string';
}
