import type { VNode } from 'preact';
import { call, pathOf } from '../data/api.js';
import { canAct } from '../data/token.js';
import { ask } from '../ui/ask.js';
import { shown } from '../ui/text.js';

interface Undo {
  readonly title: string;
  readonly consequence: string;
  readonly path: string;
  readonly done: string;
  readonly refresh: () => void;
}

/** Takes back what an operator has ordered. */
export function UndoButton({ title, consequence, path, done, refresh }: Undo): VNode | null {
  if (!canAct.value) return null;
  const act = async (): Promise<string> => {
    await call('DELETE', path);
    refresh();
    return done;
  };
  return (
    <button type="button" onClick={() => ask({ title, consequence, verb: 'Lift', isHarmless: true, act })}>
      Lift…
    </button>
  );
}

interface LiftBan {
  readonly kind: string;
  readonly who: string;
  readonly refresh: () => void;
}

export function LiftBan({ kind, who, refresh }: LiftBan): VNode {
  return (
    <UndoButton
      title={`Lift the ban of ${shown(who, 40)}?`}
      consequence="No session is open because of it. The client may connect again at once."
      path={pathOf(['bans', kind, who])}
      done="The ban is lifted."
      refresh={refresh}
    />
  );
}
