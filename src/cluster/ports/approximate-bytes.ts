const ROOM_OF_FIELD = 16;

/** Approximate size of a value in bytes, in memory or encoded. Costs about 10 ns for each field. */
export function approximateBytes(value: unknown): number {
  if (typeof value === 'string') return ROOM_OF_FIELD + value.length;
  if (typeof value !== 'object' || value === null) return ROOM_OF_FIELD;
  if (value instanceof Uint8Array) return ROOM_OF_FIELD + value.byteLength;
  let room = ROOM_OF_FIELD;
  if (Array.isArray(value)) for (const item of value) room += approximateBytes(item);
  else
    for (const key of Object.keys(value))
      room += key.length + approximateBytes((value as Record<string, unknown>)[key]);
  return room;
}
