import type { Dialect } from './dialects.js';
import type { Avatar, Move, View } from './scene-world.js';

/** Channel of the scene, where it is one. */
const channel = 'scene:a';

/** How a scene is told to a peer. */
export interface SceneWords {
  /** What a viewer sends. */
  look(view: View): readonly string[];
  move(avatar: Avatar, move: Move): string;
}

export type SceneWay = 'areas' | 'publish' | 'socket-io';

export function wordsOf(way: SceneWay, dialect: Dialect): SceneWords {
  if (way === 'areas') return areas(dialect);
  return way === 'publish' ? publish(dialect) : rooms(dialect);
}

/** One state channel with areas. */
function areas(dialect: Dialect): SceneWords {
  const message = (type: string, id: number | null, data: object): string => String(dialect.message(type, id, data));
  return {
    look: ({ box }) => [message('subscribe', 1, { channel }), message('area', 2, { channel, box })],
    move: ({ id }, patch) => message('state.set', null, { channel, key: id, patch }),
  };
}

/** A channel for each cell, and a publication for each update. */
function publish({ channels }: Dialect): SceneWords {
  return {
    look: ({ cells }) => cells.map((cell, n) => channels?.subscribe(channelOf(cell), n) ?? ''),
    move: ({ id, cell }, move) => channels?.publish(channelOf(cell), { id, ...move }) ?? '',
  };
}

/** A room for each cell, and a volatile emit for each update: what a client cannot take now is dropped. */
function rooms(dialect: Dialect): SceneWords {
  return {
    look: ({ cells }) => cells.map((cell, n) => dialect.channels?.subscribe(cell, n) ?? ''),
    move: ({ id, cell }, move) => String(dialect.message('move', null, { id, cell, ...move })),
  };
}

function channelOf(cell: string): string {
  return `passing:${cell.replace(':', '-')}`;
}
