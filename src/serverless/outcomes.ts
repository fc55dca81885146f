/** Everything that may happen to a connection, a message or a post that is worth a number; the key is its name in the log. */
export const OUTCOMES = {
  posted: 'A frame was handed to API Gateway',
  gone: 'The connection of a receiver is closed; its rows were deleted',
  post_throttled: 'API Gateway refused a post for its rate; it was tried again after a wait',
  post_unanswered: 'API Gateway did not answer a post in time; it was tried again, up to twice',
  post_lost: 'A frame was given up: API Gateway refused it for too long, or failed',
  post_too_large: 'A frame of more than 128 KB was not posted',
  sent_in_connect: 'A frame was dropped because $connect cannot post',
  handed_over: 'Receivers were handed to another invocation of the function',
  hand_over_failed: 'The function could not be invoked; its receivers were served here',
  table_busy: 'DynamoDB refused a call for its rate, or did not answer, also after waits',
  close_lost: 'A connection stays open: API Gateway refused to close it for too long',
  delivery_cut: 'The receivers of a frame could not be read; those that were not read did not get it',
  leave_untold: 'A channel was not told that a user has left: the other connections of the user could not be read',
  answer_lost: 'The answer to a publish with an idempotency key could not be kept; a repetition gets SERVER_BUSY',
  rows_left: 'Rows of a closed connection could not be deleted; they expire by themselves',
  refused: 'A client was refused at $connect',
  unknown_connection: 'A message came from a connection without a row; the connection was closed',
  expired_token: 'A message came after its token had expired; the connection was closed',
  out_of_time: 'A handler or hook was not done shortly before the end of the invocation',
  hook_failed: 'A handleConnection or handleDisconnect threw an error; the log has it',
  not_an_event: 'The function was invoked with something that is no event of a WebSocket API',
  failed: 'An unexpected error; the log has it',
} as const;

export type OutcomeName = keyof typeof OUTCOMES;

/** Those that a healthy system has all the time: they cause no line of the log by themselves. */
const USUAL: ReadonlySet<OutcomeName> = new Set<OutcomeName>(['posted', 'handed_over']);

/** What one invocation has counted. */
export class Outcomes {
  private readonly counts = new Map<OutcomeName, number>();

  add(name: OutcomeName, count = 1): void {
    if (count > 0) this.counts.set(name, this.of(name) + count);
  }

  of(name: OutcomeName): number {
    return this.counts.get(name) ?? 0;
  }

  /** Whether anything is worth a line. */
  get areUnusual(): boolean {
    return [...this.counts.keys()].some((name) => !USUAL.has(name));
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts);
  }
}
