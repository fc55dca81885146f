/** Why a look into this node is refused; the server API has a status for each. */
export type DiagnosticsRefusalReason = 'off' | 'under_way' | 'too_soon' | 'no_room';

/** What diagnostics throw where they refuse. */
export class DiagnosticsRefusal extends Error {
  constructor(
    readonly reason: DiagnosticsRefusalReason,
    sentence: string,
    readonly retryAfterMs?: number,
  ) {
    super(sentence);
    this.name = 'DiagnosticsRefusal';
  }
}
