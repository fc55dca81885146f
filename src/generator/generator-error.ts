/** The generator cannot do what it was asked for. The message says what to do instead. */
export class GeneratorError extends Error {
  /** @param kind `usage`: the command is wrong. `project`: the command does not fit the project that it runs in */
  constructor(
    message: string,
    readonly kind: 'usage' | 'project',
  ) {
    super(message);
    this.name = 'GeneratorError';
  }
}
