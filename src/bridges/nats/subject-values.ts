import type { MsgHdrs } from '@nats-io/transport-node';

interface SubjectMessage {
  readonly subject: string;
  readonly headers?: MsgHdrs | undefined;
}

const HEADER = 'header:';

/** Returns what finds the values of a message: `subject`, `header:<name>`, or `1` for what the first wildcard stands for. */
export function subjectValues(pattern: string): (message: SubjectMessage) => (name: string) => string | undefined {
  const wildcards = [...pattern.split('.').entries()].filter(([, token]) => token === '*' || token === '>');
  return ({ subject, headers }) =>
    (name) => {
      if (name === 'subject') return subject;
      if (name.startsWith(HEADER)) return headers?.get(name.slice(HEADER.length));
      const [index, token] = wildcards[Number(name) - 1] ?? [0, '*'];
      const tokens = subject.split('.');
      return token === '>' ? tokens.slice(index).join('.') : tokens[index];
    };
}
