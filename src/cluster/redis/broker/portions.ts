import calculateSlot from 'cluster-key-slot';

interface PortionOptions {
  /** Whether all names of a portion must be in one hash slot, as a cluster demands of a command. */
  readonly bySlot: boolean;
  /** Most items of a portion. */
  readonly size: number;
}

/**
 * Splits items for commands that take several.
 *
 * @param nameOf the key or the pub/sub channel of an item
 */
export function portionsOf<T>(items: readonly T[], nameOf: (item: T) => string, options: PortionOptions): T[][] {
  const { bySlot, size } = options;
  const groups = bySlot ? groupsBySlot(items, nameOf) : [items];
  return groups.flatMap((group) => slices(group, size));
}

function groupsBySlot<T>(items: readonly T[], nameOf: (item: T) => string): T[][] {
  const bySlot = new Map<number, T[]>();
  for (const item of items) {
    const slot = calculateSlot(nameOf(item));
    const present = bySlot.get(slot);
    if (present) present.push(item);
    else bySlot.set(slot, [item]);
  }
  return [...bySlot.values()];
}

function slices<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
