import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Publication } from '../../../../src/cluster/ports/broker.js';
import { StatePages } from '../../../../src/channels/state/state-pages.js';
import { StateView, type SeenValue } from '../../../../src/channels/state/state-view.js';

const LARGE = 'x'.repeat(400_000);

function viewOf(...keys: string[]): StateView {
  const view = new StateView();
  view.replace(new Map(keys.map((key): [string, SeenValue] => [key, { value: LARGE, version: 1 }])));
  return view;
}

const change = (view: StateView, seq: number, data: unknown): void => view.apply({ seq, data } as Publication);
const keysOf = (pages: StatePages): string[] => Object.keys(pages.next().slice.state);

describe('the parts of a state', () => {
  it('hold what was added meanwhile, once, and not what was removed', () => {
    const view = viewOf('a', 'b', 'c', 'd', 'e');
    const pages = new StatePages(view);
    expect(keysOf(pages)).toEqual(['a', 'b', 'c']);
    change(view, 2, { del: ['a', 'd'], set: { f: 1 } });
    change(view, 3, { set: { a: 1, b: 2 } });
    expect(pages.next().slice).toEqual({ state: { e: LARGE, f: 1, a: 1 }, versions: { e: 1, f: 2, a: 3 } });
    change(view, 4, { set: { g: 1 } });
    expect(pages.next()).toEqual({ slice: { state: {}, versions: {} }, bytes: 0 });
  });

  it('hold everything if the whole state is another one meanwhile', () => {
    const view = viewOf('a', 'b', 'c', 'd');
    const pages = new StatePages(view);
    expect(keysOf(pages)).toEqual(['a', 'b', 'c']);
    view.replace(new Map([['z', { value: 1, version: 9 }]]));
    expect(pages.next().slice).toEqual({ state: { z: 1 }, versions: { z: 9 } });
  });

  it('keep no former values for a reader that never asks for the next part', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const view = viewOf('a', 'b', 'c', 'd');
    const pages = new StatePages(view);
    pages.next();
    const former: WeakRef<object>[] = [];
    for (let seq = 2; seq < 1_000; seq += 1) {
      const value = [{ seq }];
      former.push(new WeakRef(value));
      change(view, seq, { del: ['e'], set: { e: value } });
    }
    // A weak reference is strong until the task ends that made it.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(former.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(10);
    expect(keysOf(pages)).toEqual(['d', 'e']);
  });
});
