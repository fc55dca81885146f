import { matcherOf } from './hooks.js';
import type { Namespace, Namespaces } from './namespaces.js';

/** Says why channels of a pattern cannot be mirrored, for each namespace that it covers. */
export function mirrorFaults(mirror: readonly string[], namespaces: Namespaces): string[] {
  return mirror.flatMap((pattern) => {
    const covers = matcherOf(pattern.split(':')[0] ?? '');
    const covered = [...namespaces.values()].filter(({ name }) => covers(name));
    if (covered.length === 0) return [`mirror: ${pattern} has no namespace in the channels file`];
    return covered.flatMap((namespace) => {
      const reason = reasonAgainst(namespace);
      return reason === undefined ? [] : [`mirror: ${pattern} cannot be mirrored: the namespace ${reason}`];
    });
  });
}

function reasonAgainst({ name, history, state, encryption }: Namespace): string | undefined {
  if (history === undefined) return `${name} needs a history, so that nothing is lost unnoticed`;
  if (state !== undefined) return `${name} has state`;
  return encryption === 'required' ? `${name} requires encryption` : undefined;
}
