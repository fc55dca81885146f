import { optionalText } from '../setting.js';

/** Kafka and NATS, whose messages are published in channels, and which get publications. */
export const bridges = {
  file: optionalText({
    env: 'BRIDGES_FILE',
    unit: 'path',
    effect:
      'File with the brokers (Kafka, NATS) whose messages are published in channels, and that get publications: see docs/bridges.md. Unset: config/bridges.yaml in the working directory, if it exists. Without a file there are no bridges.',
  }),
} as const;
