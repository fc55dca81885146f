import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Members by which the parts of the client speak to each other, besides the private ones. No application, server or platform
 * knows them. A name that is missing here costs a few bytes. One that somebody else knows would break: test/size.spec.ts compares.
 */
export const INTERNAL = [
  ...'accept again asked begin canRenew delayMs distrust drop flush heard isClosed isEarly isHeld isLive'.split(' '),
  ...'isOld link nextId onBehind onClose onDown onEnd onEvent onFrame onHello onList onLive onLost onOpen'.split(' '),
  ...'onReply onSilence onStop probe reader refuse reset settle stage store take tokens top waitMs'.split(' '),
];

const NAMES = `_[a-z]\\w*|${INTERNAL.join('|')}`;

/** The members that get a short name. */
export const SHORTENED = new RegExp(`^(${NAMES})$`);

/**
 * A short name for each of them. Two members get different names if there is a file that has both, so all members of a class do:
 * no class extends one of another file and adds to these members. Others share a name, as fewer names compress better.
 */
export function shortNames(folder) {
  const uses = new Map();
  const neighbours = new Map();
  for (const text of textsOf(folder)) {
    const names = text.match(new RegExp(`\\b(${NAMES})\\b`, 'g')) ?? [];
    for (const name of names) {
      uses.set(name, (uses.get(name) ?? 0) + 1);
      neighbours.set(name, new Set([...(neighbours.get(name) ?? []), ...names]));
    }
  }
  const chosen = {};
  // The most common ones first: they get the shortest.
  for (const [name] of [...uses].sort(([, one], [, other]) => other - one)) {
    const taken = new Set([...neighbours.get(name)].map((neighbour) => chosen[neighbour]));
    let index = 0;
    while (taken.has(shortName(index))) index += 1;
    chosen[name] = shortName(index);
  }
  return chosen;
}

function textsOf(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'));
}

/** a … z, aa, ab … */
function shortName(index) {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : shortName(Math.floor(index / 26) - 1) + last;
}
