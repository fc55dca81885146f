/** Cells of a scene in each direction. */
const side = 20;
/** A box of 4 by 5 cells is 5 % of them. */
const boxRows = 4;
const boxColumns = 5;
const updatesPerAvatar = 5;
/** Without a common divisor with the number of cells, so that few avatars are spread over the scene, too. */
const stride = 173;

export interface Avatar {
  readonly id: string;
  readonly row: number;
  readonly column: number;
  /** The name of its cell. */
  readonly cell: string;
}

/** One change of an avatar, with the time at which it was made. */
export interface Move {
  readonly x: number;
  readonly y: number;
  readonly t: number;
}

/** Avatars that move within their cells, five times a second each. */
export function avatarsFor(updatesPerSecond: number): readonly Avatar[] {
  return Array.from({ length: updatesPerSecond / updatesPerAvatar }, (_, n) => {
    const place = (n * stride) % (side * side);
    const [row, column] = [Math.floor(place / side), place % side];
    return { id: `avatar-${n}`, row, column, cell: `${row}:${column}` };
  });
}

/** Somewhere within the cell, with the two decimals that the namespace keeps. */
export function moveOf({ row, column }: Avatar, t: number): Move {
  return { x: within(column), y: within(row), t };
}

function within(cell: number): number {
  return Number((cell + 0.99 * Math.random()).toFixed(2));
}

/** What a viewer looks at. */
export interface View {
  /** `[least, least, most, most]`, in the middle of the outermost cells. */
  readonly box: readonly [number, number, number, number];
  readonly cells: readonly string[];
}

/** Spread over the scene. Cells at its edge have fewer viewers than those in the middle. */
export function viewOf(viewer: number): View {
  const row = (viewer * boxRows) % (side - boxRows + 1);
  const column = (viewer * boxColumns) % (side - boxColumns + 1);
  const cells = Array.from({ length: boxRows * boxColumns }, (_, n) => {
    return `${row + Math.floor(n / boxColumns)}:${column + (n % boxColumns)}`;
  });
  return { box: [row + 0.5, column + 0.5, row + boxRows - 0.5, column + boxColumns - 0.5], cells };
}
