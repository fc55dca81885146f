import type { Dialect } from './dialects.js';
import type { Move, Mover, View, World } from './scene-world.js';

/** How a world is told to a peer. */
export interface SceneWords {
  /** What a viewer sends. */
  look(view: View): readonly string[];
  move(mover: Mover, move: Move): string;
}

export type SceneWay = 'state' | 'publish' | 'socket-io';

export function wordsOf(way: SceneWay, dialect: Dialect, world: World): SceneWords {
  if (way === 'state') return state(dialect, world);
  return way === 'publish' ? publish(dialect, world) : rooms(dialect, world);
}

/** One state channel. With areas, a viewer says at which it looks. */
function state(dialect: Dialect, { channel }: World): SceneWords {
  const message = (type: string, id: number | null, data: object): string => String(dialect.message(type, id, data));
  return {
    look: ({ box }) => [
      message('subscribe', 1, { channel }),
      ...(box === null ? [] : [message('area', 2, { channel, box })]),
    ],
    move: ({ id }, patch) => message('state.set', null, { channel, key: id, patch }),
  };
}

/** A channel for each cell, and a publication of the whole value for each update. */
function publish({ channels }: Dialect, world: World): SceneWords {
  return {
    look: ({ cells }) => cells.map((cell, n) => channels?.subscribe(channelOf(cell), n) ?? ''),
    move: (mover, move) =>
      channels?.publish(channelOf(mover.cell), { id: mover.id, ...world.rest(mover), ...move }) ?? '',
  };
}

/** A room for each cell, and a volatile emit for each update: what a client cannot take now is dropped. */
function rooms(dialect: Dialect, world: World): SceneWords {
  return {
    look: ({ cells }) => cells.map((cell, n) => dialect.channels?.subscribe(cell, n) ?? ''),
    move: (mover, move) => String(dialect.message('move', null, { ...mover, ...world.rest(mover), ...move })),
  };
}

function channelOf(cell: string): string {
  return `passing:${cell.replace(':', '-')}`;
}
