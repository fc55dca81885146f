/** Messages of a stream that never reached the centre, since the store was made. */
export const LOSSES = ['expired', 'dropped', 'refused', 'damaged'] as const;
export type Loss = (typeof LOSSES)[number];

/** What is known of a stream without reading it. On the disk, it changes in one step with the stream. */
export interface StreamCounts {
  readonly count: number;
  readonly bytes: number;
  readonly lost: Readonly<Record<Loss, number>>;
}

export const NO_COUNTS: StreamCounts = {
  count: 0,
  bytes: 0,
  lost: { expired: 0, dropped: 0, refused: 0, damaged: 0 },
};

/** Records that join or leave a stream. */
export interface Change {
  readonly count: number;
  readonly bytes: number;
  readonly lost?: Partial<Record<Loss, number>>;
}

export function changed(counts: StreamCounts, { count, bytes, lost = {} }: Change): StreamCounts {
  const sums = LOSSES.map((loss) => [loss, counts.lost[loss] + (lost[loss] ?? 0)] as const);
  return {
    count: counts.count + count,
    bytes: counts.bytes + bytes,
    lost: Object.fromEntries(sums) as Record<Loss, number>,
  };
}

export function encodeCounts(counts: StreamCounts): Buffer {
  return Buffer.from(JSON.stringify(counts));
}

/** Returns undefined if it is damaged: the stream must be counted. */
export function decodeCounts(bytes: Buffer | undefined): StreamCounts | undefined {
  try {
    const { count, bytes: size, lost } = JSON.parse(String(bytes)) as Partial<StreamCounts>;
    if (!Number.isSafeInteger(count) || !Number.isSafeInteger(size) || lost === undefined) return undefined;
    return changed({ ...NO_COUNTS, lost: { ...NO_COUNTS.lost, ...lost } }, { count: count ?? 0, bytes: size ?? 0 });
  } catch {
    return undefined;
  }
}
