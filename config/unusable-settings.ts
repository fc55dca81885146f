/** Names every setting that cannot be used, so that one start shows all of them. */
export class UnusableSettings extends Error {
  constructor(readonly faults: readonly string[]) {
    const count = faults.length === 1 ? 'one setting' : `${faults.length} settings`;
    super(`Gatehouse cannot start: ${count} cannot be used\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'UnusableSettings';
  }
}
