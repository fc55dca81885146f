import type { Session } from './session.js';

/**
 * Sessions by a key that several may share. A key with one session, the common case, needs no Set, which saves about
 * 200 bytes for each idle connection.
 */
export class SessionIndex {
  private readonly entries = new Map<string, Session | Set<Session>>();

  add(key: string, session: Session): void {
    const present = this.entries.get(key);
    if (present === undefined) this.entries.set(key, session);
    else if (present instanceof Set) present.add(session);
    else this.entries.set(key, new Set([present, session]));
  }

  remove(key: string, session: Session): void {
    const present = this.entries.get(key);
    if (present === session) {
      this.entries.delete(key);
    } else if (present instanceof Set) {
      present.delete(session);
      const [last] = present;
      if (present.size === 1 && last) this.entries.set(key, last);
    }
  }

  get(key: string): readonly Session[] {
    const present = this.entries.get(key);
    if (present === undefined) return [];
    return present instanceof Set ? [...present] : [present];
  }

  count(key: string): number {
    const present = this.entries.get(key);
    if (present === undefined) return 0;
    return present instanceof Set ? present.size : 1;
  }

  get size(): number {
    return this.entries.size;
  }
}
