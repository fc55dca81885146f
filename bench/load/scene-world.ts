import { vehicles } from './vehicles-world.js';

/** Something that moves. */
export interface Mover {
  readonly id: string;
  /** The name of its cell. */
  readonly cell: string;
}

/** What changes of one, with the time at which it was changed. */
export interface Move {
  readonly t: number;
  readonly [field: string]: unknown;
}

/** What a viewer looks at. */
export interface View {
  /** `[least, least, most, most]`, in the middle of the outermost cells. Null: the world has no areas. */
  readonly box: readonly [number, number, number, number] | null;
  readonly cells: readonly string[];
}

/** What moves, and what is seen of it. */
export interface World {
  /** Its state channel. */
  readonly channel: string;
  movers(updatesPerSecond: number): readonly Mover[];
  move(mover: Mover, t: number): Move;
  /** The fields that do not change. Those who publish send them each time. */
  rest(mover: Mover): Readonly<Record<string, unknown>>;
  view(viewer: number): View;
}

/** Cells of a scene in each direction. */
const side = 20;
/** A box of 4 by 5 cells is 5 % of them. */
const boxRows = 4;
const boxColumns = 5;
const updatesPerAvatar = 5;
/** Without a common divisor with the number of cells, so that few avatars are spread over the scene, too. */
const stride = 173;

/** Avatars that move within their cells, five times a second each. */
const avatars: World = {
  channel: 'scene:a',
  movers: (updatesPerSecond) =>
    Array.from({ length: updatesPerSecond / updatesPerAvatar }, (_, n) => {
      const place = (n * stride) % (side * side);
      return { id: `avatar-${n}`, cell: `${Math.floor(place / side)}:${place % side}` };
    }),
  // Somewhere within the cell, with the two decimals that the namespace keeps.
  move: ({ cell }, t) => {
    const [row = 0, column = 0] = cell.split(':').map(Number);
    return { x: within(column), y: within(row), t };
  },
  rest: () => ({}),
  // Spread over the scene. Cells at its edge have fewer viewers than those in the middle.
  view: (viewer) => {
    const row = (viewer * boxRows) % (side - boxRows + 1);
    const column = (viewer * boxColumns) % (side - boxColumns + 1);
    const cells = Array.from({ length: boxRows * boxColumns }, (_, n) => {
      return `${row + Math.floor(n / boxColumns)}:${column + (n % boxColumns)}`;
    });
    return { box: [row + 0.5, column + 0.5, row + boxRows - 0.5, column + boxColumns - 0.5], cells };
  },
};

export const worlds = { avatars, vehicles };

function within(cell: number): number {
  return Number((cell + 0.99 * Math.random()).toFixed(2));
}
