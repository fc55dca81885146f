/**
 * The form of messages between nodes, also of different releases. A node ignores messages of a version that it does not
 * know.
 */
const VERSION = 1;

export interface Origin {
  readonly nodeId: string;
  /** Identifies this start of the node, whatever the registry calls it meanwhile. */
  readonly life: string;
}

/** A message for a handler. */
export interface BusMessage {
  readonly from: Origin;
  /** Unique within one start of the sending node. */
  readonly id: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly isQuestion: boolean;
}

export interface Answer {
  readonly from: Origin;
  /** The id of the question. */
  readonly answers: string;
  /** False if the handler failed. */
  readonly ok: boolean;
  readonly payload: unknown;
}

/** The form on the wire. Absent fields are omitted, because encodings disagree about `undefined`. */
export function written(word: BusMessage | Answer): object {
  const { nodeId, life } = word.from;
  const head = { v: VERSION, node: nodeId, life };
  const body = word.payload === undefined ? {} : { payload: word.payload };
  if ('answers' in word) return { ...head, ...body, answers: word.answers, ok: word.ok };
  return { ...head, ...body, id: word.id, kind: word.kind, ask: word.isQuestion };
}

/** Returns undefined if the value has another version or is not a message. */
export function read(data: unknown): BusMessage | Answer | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { v, node, life, kind, payload, id, ask, answers, ok } = data as Record<string, unknown>;
  if (v !== VERSION || typeof node !== 'string' || typeof life !== 'string') return undefined;
  const from = { nodeId: node, life };
  if (typeof answers === 'string') return { from, answers, ok: ok === true, payload };
  if (typeof kind !== 'string' || typeof id !== 'string') return undefined;
  return { from, id, kind, payload, isQuestion: ask === true };
}
