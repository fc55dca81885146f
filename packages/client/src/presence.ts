import { isObject } from './incoming.js';

export interface Member {
  readonly userId: string;
}

/** Who is in a channel, by user: a list that is asked for, and the joins and leaves after it. */
export class Members {
  private readonly byUser = new Map<string, Member>();
  /** Events that arrive before the list. */
  private early: unknown[] | undefined = [];

  /** A new list has been asked for. */
  expectList(): void {
    this.early = [];
  }

  /** @returns undefined if the reply has not the right shape */
  onList(data: unknown): readonly Member[] | undefined {
    if (!isObject(data) || !Array.isArray(data.members)) return undefined;
    this.byUser.clear();
    for (const member of data.members) {
      if (isMember(member)) this.byUser.set(member.userId, { userId: member.userId });
    }
    const early = this.early ?? [];
    this.early = undefined;
    for (const event of early) this.onEvent(event);
    return this.list();
  }

  /** @returns the members, if they are known and have changed */
  onEvent(data: unknown): readonly Member[] | undefined {
    if (!isObject(data) || !isMember(data.member)) return undefined;
    if (this.early !== undefined) {
      this.early.push(data);
      return undefined;
    }
    const { userId } = data.member;
    if (data.event === 'leave') this.byUser.delete(userId);
    else this.byUser.set(userId, { userId });
    return this.list();
  }

  /** Undefined while nobody has told. */
  list(): readonly Member[] | undefined {
    return this.early === undefined ? [...this.byUser.values()] : undefined;
  }
}

function isMember(value: unknown): value is Member {
  return isObject(value) && typeof value.userId === 'string';
}
