/** Why diagnostics are refused. The server API has a status for each. */
export type DiagnosticsRefusalReason = 'off' | 'under_way' | 'too_soon' | 'no_room';

/** Thrown when diagnostics are refused. */
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
