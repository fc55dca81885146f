/** Names every setting that cannot be used, so that one start shows all of them. */
export class UnusableSettings extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `Gatehouse cannot start: ${faults.length} unusable setting(s)\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.name = 'UnusableSettings';
  }
}
