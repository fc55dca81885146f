/** Messages of a stream that never reached the centre, since the store was made. */
export const LOSSES = ['expired', 'dropped', 'refused', 'damaged'] as const;
export type Loss = (typeof LOSSES)[number];

/** What is known of a stream without reading it. On the disk, it changes in one step with the stream. */
export interface StreamCounts {
  readonly count: number;
  readonly bytes: number;
  readonly lost: Readonly<Record<Loss, number>>;
  /** Those of the lost that the centre was told. */
  readonly told: Readonly<Record<Loss, number>>;
}

const NONE: Readonly<Record<Loss, number>> = { expired: 0, dropped: 0, refused: 0, damaged: 0 };

export const NO_COUNTS: StreamCounts = {
  count: 0,
  bytes: 0,
  lost: NONE,
  told: NONE,
};

/** Records that join or leave a stream. */
export interface Change {
  readonly count: number;
  readonly bytes: number;
  readonly lost?: Partial<Record<Loss, number>>;
  readonly told?: Partial<Record<Loss, number>> | undefined;
}

export function changed(counts: StreamCounts, { count, bytes, lost = {}, told = {} }: Change): StreamCounts {
  return {
    count: counts.count + count,
    bytes: counts.bytes + bytes,
    lost: sumOf(counts.lost, lost),
    told: sumOf(counts.told, told),
  };
}

export function encodeCounts(counts: StreamCounts): Buffer {
  return Buffer.from(JSON.stringify(counts));
}

/** Returns undefined if it is damaged: the stream must be counted. */
export function decodeCounts(bytes: Buffer | undefined): StreamCounts | undefined {
  try {
    // An earlier release told nothing.
    const { count, bytes: size, lost, told = NONE } = JSON.parse(String(bytes)) as Partial<StreamCounts>;
    if (!Number.isSafeInteger(count) || !Number.isSafeInteger(size) || lost === undefined) return undefined;
    return changed(NO_COUNTS, { count: count ?? 0, bytes: size ?? 0, lost, told });
  } catch {
    return undefined;
  }
}

function sumOf(one: Readonly<Record<Loss, number>>, more: Partial<Record<Loss, number>>): Record<Loss, number> {
  return Object.fromEntries(LOSSES.map((loss) => [loss, one[loss] + (more[loss] ?? 0)])) as Record<Loss, number>;
}
