import { optionalText } from '../setting.js';

/** The outbox: messages that an application writes to its database together with its rows. */
export const outbox = {
  postgresUrl: optionalText({
    env: 'POSTGRES_URL',
    unit: 'URL',
    // It may contain a password.
    secret: true,
    pattern: /^postgres(ql)?:\/\/./,
    must: 'must be postgres://[user:password@]host[:port]/database',
    effect:
      'The PostgreSQL 14 or later with the outbox, whose rows are published: see docs/outbox.md. Needs the package pg. Unset: there is no outbox.',
  }),
} as const;
