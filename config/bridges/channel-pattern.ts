import type { Namespaces } from '../namespaces.js';

/** The channel of a message: texts, and names of values of the message. */
export interface ChannelPattern {
  readonly namespace: string;
  readonly parts: readonly PatternPart[];
}

type PatternPart = { readonly text: string } | { readonly value: string };

const REFERENCE = /\{([^{}]*)\}/;
const HEADER = /^header:[!-9;-~]{1,128}$/;

/** The name of a value that every message has, of any broker. */
export function isHeader(value: string): boolean {
  return HEADER.test(value);
}

/**
 * Reads `order:{key}`. The namespace is always a text, so that a message cannot choose its rules.
 *
 * @param values says whether a message has a value of this name
 * @throws Error naming the mistake
 */
export function channelPattern(given: unknown, values: (name: string) => boolean): ChannelPattern {
  const [, namespace, rest] = (typeof given === 'string' && /^([\w-]{1,64}):(.+)$/s.exec(given)) || [];
  if (namespace === undefined || rest === undefined) {
    throw new Error('must be <namespace>:<name>, such as order:{key}');
  }
  // Texts are at even places, names of values at odd ones.
  const parts = rest
    .split(REFERENCE)
    .map((part, index): PatternPart => (index % 2 === 0 ? { text: part } : { value: part }));
  for (const part of parts) {
    if ('value' in part && !values(part.value)) throw new Error(`has a value {${part.value}} that no message has`);
    if ('text' in part && /[{}]/.test(part.text)) throw new Error('has a brace without its other one');
  }
  return { namespace, parts };
}

/** Returns a sentence if no message can be published in the namespace of the pattern. */
export function faultOfNamespace({ namespace: name }: ChannelPattern, namespaces: Namespaces): string | undefined {
  const namespace = namespaces.get(name);
  if (namespace === undefined) return `there is no namespace ${name}`;
  return namespace.state === undefined ? undefined : `the namespace ${name} has state, which messages cannot change`;
}
