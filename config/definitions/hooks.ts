import { optionalText } from '../setting.js';

/** Back ends that decide about requests of clients, and are told what happens. */
export const hooks = {
  file: optionalText({
    env: 'HOOKS_FILE',
    unit: 'path',
    effect:
      'File with the back ends that decide about connections, subscribes, publishes and messages, and are told of events: see docs/hooks.md. Unset: config/hooks.yaml in the working directory, if it exists. Without a file there are no hooks.',
  }),
} as const;
