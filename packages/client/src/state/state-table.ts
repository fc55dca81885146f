import { isObject } from '../incoming.js';
import { merge } from './merge-patch.js';
import type { StateChange } from './state-types.js';

/** The values of a state channel with their versions, as the server's parts and publications change them. */
export class StateTable {
  readonly values = new Map<string, unknown>();
  private readonly _versions = new Map<string, number>();

  versionOf(key: string): number {
    return this._versions.get(key) ?? 0;
  }

  clear(): void {
    this.values.clear();
    this._versions.clear();
  }

  /** Sets whole values. */
  take(
    { state, versions }: { readonly state?: unknown; readonly versions?: unknown },
    isSnapshot: boolean,
  ): StateChange {
    const values = Object.entries(isObject(state) ? state : {});
    for (const [key, value] of values) {
      this.values.set(key, value);
      const version = isObject(versions) ? versions[key] : undefined;
      this._versions.set(key, typeof version === 'number' ? version : 0);
    }
    return { set: new Map(values), removed: [], isSnapshot };
  }

  /** Makes the changes of one publication. */
  apply(data: unknown, seq: number): StateChange {
    const { set, del } = isObject(data) ? data : {};
    const removed = Array.isArray(del) ? (del as string[]) : [];
    const changed = new Map<string, unknown>();
    for (const key of removed) {
      this.values.delete(key);
      this._versions.delete(key);
    }
    for (const [key, patch] of Object.entries(isObject(set) ? set : {})) {
      const value = merge(this.values.get(key), patch);
      changed.set(key, value);
      this.values.set(key, value);
      this._versions.set(key, seq);
    }
    return { set: changed, removed: removed.filter((key) => !changed.has(key)), isSnapshot: false };
  }
}
