import { GeneratorError } from './generator-error.js';

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** Leaves room for a verb in a message type, which has at most 128 characters. */
const MAX_LENGTH = 60;

/** The name of a new gateway in each form that its files need. */
export interface GatewayName {
  /** Of its folder and files: `live-poll`. */
  readonly file: string;
  /** Of its classes: `LivePoll`. */
  readonly className: string;
  /** Of its message types: `live_poll`. */
  readonly messageType: string;
}

/** @throws GeneratorError if the name cannot be that of a folder, a class and a message type */
export function gatewayName(name: string): GatewayName {
  if (!NAME.test(name) || name.length > MAX_LENGTH) {
    throw new GeneratorError(
      `"${name}" cannot be the name of a gateway. Use up to ${MAX_LENGTH} small letters, digits and single hyphens, and begin with a letter: live-poll`,
      'usage',
    );
  }
  const className = name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return { file: name, className, messageType: name.replaceAll('-', '_') };
}
