/** Of what nodes of different releases say to each other. A node ignores words of a version that it does not know. */
const VERSION = 1;

export interface Origin {
  readonly nodeId: string;
  /** Of this start of the node, whatever the registry calls it meanwhile. */
  readonly life: string;
}

/** Something said to a handler. */
export interface BusMessage {
  readonly from: Origin;
  /** Given once in a life of the node that speaks. */
  readonly id: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly isQuestion: boolean;
}

export interface Answer {
  readonly from: Origin;
  /** Of the question. */
  readonly answers: string;
  /** False: the handler could not answer. */
  readonly ok: boolean;
  readonly payload: unknown;
}

/** In the form in which it travels: absent fields are left out, for encodings disagree about `undefined`. */
export function written(word: BusMessage | Answer): object {
  const { nodeId, life } = word.from;
  const head = { v: VERSION, node: nodeId, life };
  const body = word.payload === undefined ? {} : { payload: word.payload };
  if ('answers' in word) return { ...head, ...body, answers: word.answers, ok: word.ok };
  return { ...head, ...body, id: word.id, kind: word.kind, ask: word.isQuestion };
}

/** Undefined for what is of another version, or no word at all. */
export function read(data: unknown): BusMessage | Answer | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { v, node, life, kind, payload, id, ask, answers, ok } = data as Record<string, unknown>;
  if (v !== VERSION || typeof node !== 'string' || typeof life !== 'string') return undefined;
  const from = { nodeId: node, life };
  if (typeof answers === 'string') return { from, answers, ok: ok === true, payload };
  if (typeof kind !== 'string' || typeof id !== 'string') return undefined;
  return { from, id, kind, payload, isQuestion: ask === true };
}
